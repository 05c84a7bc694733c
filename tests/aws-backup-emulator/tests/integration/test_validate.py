"""What `validate.py` lets pass and what it does not."""

import json
import unittest

import botocore.session
import validate

SERVICE = botocore.session.get_session().get_service_model("backup")
ARN = "arn:aws:backup:eu-central-1:111122223333:backup-vault:v1"
VAULT = {
    "BackupVaultName": "v1", "BackupVaultArn": ARN, "VaultType": "BACKUP_VAULT", "VaultState": "AVAILABLE",
    "CreationDate": 1736143200.125, "EncryptionKeyArn": ARN, "NumberOfRecoveryPoints": 0, "Locked": False,
}
REFUSAL = {"Code": "ERROR_1101", "Message": "no", "Type": "Client", "Context": "n/a"}
INVALID = "InvalidParameterValueException"


def answer(operation, body):
    """Checks an answer."""
    validate.check_answer(SERVICE.operation_model(operation), json.dumps(body))


def refusal(name, status, body):
    """Checks a refusal of DescribeBackupVault."""
    validate.check_refusal(SERVICE.operation_model("DescribeBackupVault"), status, name, json.dumps(body))


class Answers(unittest.TestCase):
    """Answers that are right, and each thing that can be wrong with one."""

    def test_right(self):
        answer("DescribeBackupVault", VAULT)
        refusal(INVALID, 400, REFUSAL)
        refusal("ServiceUnavailableException", 500, {**REFUSAL, "Type": "Server"})
        refusal("AccessDeniedException", 403, {"Message": "no"})
        validate.check_answer(SERVICE.operation_model("DeleteBackupVault"), b"")

    def test_wrong_answers(self):
        for change in (
            {"Strange": 1},
            {"BackupVaultName": 1},
            {"BackupVaultName": None},
            {"NumberOfRecoveryPoints": True},
            {"NumberOfRecoveryPoints": 1.5},
            {"Locked": "false"},
            {"VaultType": "VAULT"},
            {"CreationDate": "2025-01-06T06:00:00Z"},
            {"CreationDate": 1736143200.1234},
        ):
            with self.subTest(change), self.assertRaises(validate.Wrong):
                answer("DescribeBackupVault", {**VAULT, **change})

    def test_missing_members(self):
        for name in VAULT:
            with self.subTest(name), self.assertRaises(validate.Wrong):
                answer("DescribeBackupVault", {key: value for key, value in VAULT.items() if key != name})

    def test_members_of_members(self):
        answer("ListBackupVaults", {"BackupVaultList": [VAULT]})
        with self.assertRaises(validate.Wrong):
            answer("ListBackupVaults", {"BackupVaultList": [{**VAULT, "BackupVaultName": "with.dot"}]})
        with self.assertRaises(validate.Wrong):
            answer("ListBackupVaults", {"BackupVaultList": [{**VAULT, "Strange": 1}]})
        with self.assertRaises(validate.Wrong):
            answer("ListBackupVaults", {})

    def test_an_answer_that_nothing_is_said_about(self):
        with self.assertRaises(validate.Wrong):
            answer("GetSupportedResourceTypes", {})

    def test_an_answer_where_there_is_none(self):
        with self.assertRaises(validate.Wrong):
            validate.check_answer(SERVICE.operation_model("DeleteBackupVault"), b"{}")

    def test_wrong_refusals(self):
        for name, status, body in (
            ("LimitExceededException", 400, REFUSAL),
            (INVALID, 404, REFUSAL),
            (INVALID, 400, {"message": "no"}),
            (INVALID, 400, {**REFUSAL, "Type": "Server"}),
            (INVALID, 400, {**REFUSAL, "Arn": ARN}),
            ("AccessDeniedException", 400, {"Message": "no"}),
            ("AccessDeniedException", 403, {"message": "no"}),
            ("StrangeException", 400, REFUSAL),
        ):
            with self.subTest(name), self.assertRaises(validate.Wrong):
                refusal(name, status, body)


if __name__ == "__main__":
    unittest.main()
