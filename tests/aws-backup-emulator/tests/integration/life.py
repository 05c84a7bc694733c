"""A recovery point's whole life, through a client that is named on the command line: boto3 or the AWS CLI.

Every answer and every refusal on the way is held against the service model by `validate.py`. The steps know nothing of the
client: a new step is a function in `STEPS` that calls operations by the model's names.

    life.py boto3|cli <table ARN> <role of backups and copies> <role of restores>
"""

import contextlib
import io
import json
import os
import re
import sys
import urllib.request
from datetime import datetime, timedelta

import boto3
from awscli.clidriver import create_clidriver
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError
from validate import Watch


class Refused(Exception):
    """AWS Backup refuses a call."""

    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code = code


class Boto3:
    """Calls with boto3."""

    def __init__(self, watch):
        self.client = boto3.client("backup", config=Config(retries={"total_max_attempts": 1}))
        self.client.meta.events.register("after-call.backup", watch)

    def call(self, operation, **members):
        """The answer to one call."""
        try:
            return getattr(self.client, xform_name(operation))(**members)
        except ClientError as error:
            raise Refused(error.response["Error"]["Code"], error.response["Error"]["Message"]) from error


class Cli:
    """Calls with the AWS CLI: its whole command line, in this process to be quick."""

    def __init__(self, watch):
        self.driver = create_clidriver()
        self.driver.session.register("after-call.backup", watch)

    def call(self, operation, **members):
        """The answer to one call."""
        arguments = ["--output", "json", "backup", xform_name(operation, "-")]
        for name, value in members.items():
            text = value if isinstance(value, str) else json.dumps(value)
            arguments += [f"--{xform_name(name, '-')}", text]
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = self.driver.main(arguments)
        if status:
            refused = re.search(r"An error occurred \((\w+)\) when calling the \w+ operation: (.*)", err.getvalue())
            if not refused:
                raise AssertionError(f"aws {' '.join(arguments)}: {err.getvalue()}")
            raise Refused(*refused.groups())
        return json.loads(out.getvalue() or "{}")


class Life:
    """What the steps work with, and what they find out."""

    VAULT = "life"

    def __init__(self, client, table, role, restore_role):
        self.call, self.table, self.role, self.restore_role = client.call, table, role, restore_role
        self.job = self.point = None

    def refused(self, code, operation, **members):
        """A call that must be refused."""
        try:
            self.call(operation, **members)
        except Refused as refused:
            expect(refused.code, code)
        else:
            raise AssertionError(f"{operation} {members} is not refused")

    def pages(self, operation, member, **members):
        """All entries of a list, from pages of one."""
        entries, token = [], {}
        while True:
            page = self.call(operation, **members, **token, MaxResults=1)
            expect(len(page[member]) <= 1, True)
            entries += page[member]
            if "NextToken" not in page:
                return entries
            token = {"NextToken": page["NextToken"]}

    def start(self, **members):
        """A backup of the table, accepted."""
        members = {"BackupVaultName": self.VAULT, "ResourceArn": self.table, "IamRoleArn": self.role, **members}
        return self.call("StartBackupJob", **members)

    def state(self, job=None):
        """A job's state."""
        return self.call("DescribeBackupJob", BackupJobId=job or self.job)["State"]

    def of_point(self):
        """The members that name the point."""
        return {"BackupVaultName": self.VAULT, "RecoveryPointArn": self.point}


def expect(found, wanted):
    """Raises when something is not as wanted."""
    if found != wanted:
        raise AssertionError(f"{found!r} where {wanted!r} was wanted")


def control(method, path, body=None):
    """One request to the control endpoint."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(os.environ["DYNACHAIN_CONTROL"] + path, data, method=method)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def wait(seconds):
    """Lets so many emulated seconds pass."""
    now = datetime.fromisoformat(control("GET", "/clock")["now"]) + timedelta(seconds=seconds)
    control("PUT", "/clock", {"now": now.isoformat()})


def create_vault(life):
    """A vault is made, and is there."""
    create = {"BackupVaultName": life.VAULT, "CreatorRequestId": "life-1", "BackupVaultTags": {"team": "shop"}}
    arn = life.call("CreateBackupVault", **create)["BackupVaultArn"]
    expect(life.call("DescribeBackupVault", BackupVaultName=life.VAULT)["BackupVaultArn"], arn)
    expect(life.VAULT in [vault["BackupVaultName"] for vault in life.pages("ListBackupVaults", "BackupVaultList")], True)
    expect(life.call("ListTags", ResourceArn=arn)["Tags"], {"team": "shop"})
    life.refused("AlreadyExistsException", "CreateBackupVault", BackupVaultName=life.VAULT, CreatorRequestId="life-2")


def back_up(life):
    """A backup is started and waits."""
    started = life.start(RecoveryPointTags={"a": "b"}, Lifecycle={"DeleteAfterDays": 35}, IdempotencyToken="life")
    life.job, life.point = started["BackupJobId"], started["RecoveryPointArn"]
    expect(life.start(IdempotencyToken="life")["BackupJobId"], life.job)
    expect(life.state(), "CREATED")
    life.refused("ResourceNotFoundException", "DescribeRecoveryPoint", **life.of_point())


def wait_for_it(life):
    """The job runs, then the point is complete."""
    wait(20)
    expect(life.state(), "RUNNING")
    expect(life.call("DescribeRecoveryPoint", **life.of_point())["Status"], "CREATING")
    life.refused("InvalidParameterValueException", "TagResource", ResourceArn=life.point, Tags={"late": "x"})
    wait(60)
    expect(life.state(), "COMPLETED")
    point = life.call("DescribeRecoveryPoint", **life.of_point())
    expect((point["Status"], point["ResourceArn"], point["Lifecycle"]), ("COMPLETED", life.table, {"DeleteAfterDays": 35}))
    metadata = life.call("GetRecoveryPointRestoreMetadata", **life.of_point())
    expect(metadata["RestoreMetadata"], {"aws:backup:request-id": life.job.lower()})


def jobs_that_end_otherwise(life):
    """A job that is stopped, and one that fails."""
    stopped = life.start()["BackupJobId"]
    wait(20)
    life.call("StopBackupJob", BackupJobId=stopped)
    failing = life.start(BackupVaultName="missing")["BackupJobId"]
    wait(100)
    expect((life.state(stopped), life.state(failing)), ("ABORTED", "FAILED"))
    life.refused("InvalidRequestException", "StopBackupJob", BackupJobId=stopped)


def list_in_pages(life):
    """Everything is listed, newest first."""
    second = life.start()["RecoveryPointArn"]
    wait(100)
    in_vault = {"BackupVaultName": life.VAULT, "ByResourceArn": life.table}
    for operation, members in (
        ("ListRecoveryPointsByBackupVault", in_vault),
        ("ListRecoveryPointsByResource", {"ResourceArn": life.table}),
    ):
        points = life.pages(operation, "RecoveryPoints", **members)
        expect([point["RecoveryPointArn"] for point in points], [second, life.point])
    jobs = life.pages("ListBackupJobs", "BackupJobs", ByResourceArn=life.table)
    expect([job["State"] for job in jobs[:1] + jobs[-1:]], ["COMPLETED", "COMPLETED"])
    expect(sorted(job["State"] for job in jobs), ["ABORTED", "COMPLETED", "COMPLETED", "FAILED"])
    completed = life.pages("ListBackupJobs", "BackupJobs", ByResourceArn=life.table, ByState="COMPLETED")
    expect(completed[-1]["BackupJobId"], life.job)
    life.refused("InvalidParameterValueException", "ListBackupJobs", NextToken="forged")


def tag(life):
    """Tags come and go."""
    life.call("TagResource", ResourceArn=life.point, Tags={"c": "d", "e": ""})
    life.call("UntagResource", ResourceArn=life.point, TagKeyList=["a"])
    expect(life.call("ListTags", ResourceArn=life.point)["Tags"], {"c": "d", "e": "", "team": "shop"})


def change_settings(life):
    """Region settings are changed, and changed back."""
    for on in (False, True):
        life.call("UpdateRegionSettings", ResourceTypeManagementPreference={"DynamoDB": on})
        expect(life.call("DescribeRegionSettings")["ResourceTypeManagementPreference"]["DynamoDB"], on)


def delete_vault(life):
    """A vault with points stays, an empty one goes, a missing one is none of the caller's business."""
    life.refused("InvalidRequestException", "DeleteBackupVault", BackupVaultName=life.VAULT)
    life.call("CreateBackupVault", BackupVaultName="empty")
    life.call("DeleteBackupVault", BackupVaultName="empty")
    life.refused("AccessDeniedException", "DescribeBackupVault", BackupVaultName="empty")


def copy(life):
    """A copy to another vault."""
    there = life.call("CreateBackupVault", BackupVaultName="copies")["BackupVaultArn"]
    members = {"RecoveryPointArn": life.point, "SourceBackupVaultName": life.VAULT, "IamRoleArn": life.role}
    job = life.call("StartCopyJob", DestinationBackupVaultArn=there, **members)["CopyJobId"]
    expect(life.call("DescribeCopyJob", CopyJobId=job)["CopyJob"]["State"], "CREATED")
    failing = there.replace("copies", "missing")
    life.call("StartCopyJob", DestinationBackupVaultArn=failing, **members)
    wait(1000)
    jobs = life.pages("ListCopyJobs", "CopyJobs", ByResourceArn=life.table)
    expect(sorted(job["State"] for job in jobs), ["COMPLETED", "FAILED"])
    copied = life.call("DescribeCopyJob", CopyJobId=job)["CopyJob"]["DestinationRecoveryPointArn"]
    expect(life.call("DescribeRecoveryPoint", BackupVaultName="copies", RecoveryPointArn=copied)["Status"], "COMPLETED")
    life.refused("InvalidParameterValueException", "StartCopyJob", DestinationBackupVaultArn="none", **members)


def restore(life):
    """A table is made from the point, and no second one of its name."""
    metadata = {"targetTableName": "restored", "encryptionType": "Default"}
    members = {"RecoveryPointArn": life.point, "IamRoleArn": life.restore_role, "Metadata": metadata}
    jobs = []
    for _ in range(2):
        jobs.append(life.call("StartRestoreJob", **members)["RestoreJobId"])
        wait(100)
    states = [life.call("DescribeRestoreJob", RestoreJobId=job)["Status"] for job in jobs]
    expect(states, ["COMPLETED", "FAILED"])
    expect([job["RestoreJobId"] for job in life.pages("ListRestoreJobs", "RestoreJobs")], jobs[::-1])
    expect(life.call("GetRestoreJobMetadata", RestoreJobId=jobs[0])["Metadata"], metadata)
    life.refused("ResourceNotFoundException", "DescribeRestoreJob", RestoreJobId="none")


def hold(life):
    """A legal hold keeps the point until it is cancelled."""
    selection = {
        "VaultNames": [life.VAULT], "ResourceIdentifiers": [life.table],
        "DateRange": {"FromDate": "2024-01-01T00:00:00Z", "ToDate": "2026-01-01T00:00:00Z"},
    }
    made = life.call("CreateLegalHold", Title="case", Description="42", Tags={"team": "law"}, RecoveryPointSelection=selection)
    named = {"LegalHoldId": made["LegalHoldId"]}
    wait(5)
    expect(life.call("GetLegalHold", **named)["Status"], "ACTIVE")
    points = life.pages("ListRecoveryPointsByLegalHold", "RecoveryPoints", **named)
    expect(life.point in [point["RecoveryPointArn"] for point in points], True)
    life.refused("InvalidRequestException", "DeleteRecoveryPoint", **life.of_point())
    life.call("CancelLegalHold", CancelDescription="closed", RetainRecordInDays=1, **named)
    wait(5)
    expect([hold["Status"] for hold in life.pages("ListLegalHolds", "LegalHolds")], ["CANCELED"])


def protect_vault(life):
    """A policy and a lock, and both away again."""
    vault = {"BackupVaultName": life.VAULT}
    deny = {"Effect": "Deny", "Principal": "*", "Action": "backup:StartBackupJob", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    life.call("PutBackupVaultAccessPolicy", **vault, Policy=policy)
    expect(life.call("GetBackupVaultAccessPolicy", **vault)["Policy"], policy)
    life.refused("AccessDeniedException", "StartBackupJob", **vault, ResourceArn=life.table, IamRoleArn=life.role)
    life.call("DeleteBackupVaultAccessPolicy", **vault)
    life.call("PutBackupVaultLockConfiguration", **vault, MinRetentionDays=7)
    expect(life.call("DescribeBackupVault", **vault)["Locked"], True)
    life.refused("InvalidRequestException", "DeleteRecoveryPoint", **life.of_point())
    life.call("DeleteBackupVaultLockConfiguration", **vault)


def end(life):
    """The point gets another lifecycle, and is deleted."""
    updated = life.call("UpdateRecoveryPointLifecycle", **life.of_point(), Lifecycle={"DeleteAfterDays": 90})
    expect(updated["Lifecycle"], {"DeleteAfterDays": 90})
    expect([found["ResourceArn"] for found in life.pages("ListProtectedResources", "Results")], [life.table])
    life.call("DeleteRecoveryPoint", **life.of_point())
    expect(life.call("DescribeRecoveryPoint", **life.of_point())["Status"], "DELETING")
    wait(60)
    life.refused("ResourceNotFoundException", "DescribeRecoveryPoint", **life.of_point())


STEPS = [
    create_vault, back_up, wait_for_it, jobs_that_end_otherwise, list_in_pages, tag, change_settings, copy, restore, hold,
    protect_vault, end, delete_vault,
]


def main():
    """Lives it."""
    kind, table, role, restore_role = sys.argv[1:]
    watch = Watch()
    life = Life({"boto3": Boto3, "cli": Cli}[kind](watch), table, role, restore_role)
    for step in STEPS:
        step(life)
    # That the watch was there at all.
    expect(len(watch.answers) > 10 and len(watch.refusals) > 5, True)
    print(f"{sum(watch.answers.values())} answers and {sum(watch.refusals.values())} refusals checked")


if __name__ == "__main__":
    main()
