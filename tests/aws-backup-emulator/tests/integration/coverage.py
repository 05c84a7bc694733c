"""Prints how much of AWS Backup's service model there is, as the table at the end of docs/emulator.md has it.

Every operation of the model is called once: what answers 501 is not emulated. Each modelled error of an emulated operation
must either be had by a call in `PROBES`, or `never` must say why there is no such call. `ServiceUnavailableException` is had
from a second emulator, whose local AWS does not answer.

    coverage.py <emulator without a local AWS> <table ARN> <role ARN> <recovery point ARN> <completed job>
        <point that is being created> <vault with an immutable lock> <rows of the page>

The recovery point is under a legal hold.
"""

import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from validate import Watch

SILENT, TABLE, ROLE, POINT, JOB, CREATING, LOCKED, ROWS = sys.argv[1:]
VAULT, UNAVAILABLE, NOT_EMULATED = "dynachain", "ServiceUnavailable", "NotImplemented"
MISSING_POINT = POINT[:-1] + "_"
watch = Watch()


def connect(**settings):
    """A client that sends whatever it is given, once, and has its answers checked."""
    config = Config(parameter_validation=False, retries={"total_max_attempts": 1})
    made = boto3.client("backup", config=config, **settings)
    made.meta.events.register("after-call.backup", watch)
    return made


client = connect()
NAMES = {name: method for method, name in client.meta.method_to_api_mapping.items()}
SERVICE = client.meta.service_model


def outcome(of, operation, members):
    """The short name of the error that a call ends with; none for a success."""
    try:
        getattr(of, NAMES[operation])(**members)
    except ClientError as error:
        return error.response["Error"]["Code"].removesuffix("Exception")
    return None


def input_members(operation):
    """The members of an operation's input by name, and which of them are needed."""
    shape = SERVICE.operation_model(operation).input_shape
    return (shape.members, shape.required_members) if shape else ({}, [])


def path_members(operation):
    """Something for each member that the path needs."""
    members, _ = input_members(operation)
    return {name: "none" for name, shape in members.items() if shape.serialization.get("location") == "uri"}


START = {"BackupVaultName": VAULT, "ResourceArn": TABLE, "IamRoleArn": ROLE}
IN_VAULT = {"BackupVaultName": VAULT, "RecoveryPointArn": POINT}
CREATED = {**IN_VAULT, "RecoveryPointArn": CREATING}
COPIES = "arn:aws:backup:eu-west-1:111122223333:backup-vault:copies"
COPY = {
    "RecoveryPointArn": POINT, "SourceBackupVaultName": VAULT, "DestinationBackupVaultArn": COPIES, "IamRoleArn": ROLE,
}
RESTORE = {"RecoveryPointArn": POINT, "IamRoleArn": ROLE, "Metadata": {"targetTableName": "restored"}}
HOLD = {"Title": "case", "Description": "42"}
NEW_HOLD = client.create_legal_hold(**HOLD)["LegalHoldId"]
# What to call an operation with to have each of its errors.
PROBES = {
    "CancelLegalHold": {
        "InvalidParameterValue": {"LegalHoldId": NEW_HOLD, "CancelDescription": "x", "RetainRecordInDays": 36501},
        "InvalidResourceState": {"LegalHoldId": NEW_HOLD, "CancelDescription": "x"},
        "MissingParameterValue": {"LegalHoldId": NEW_HOLD},
        "ResourceNotFound": {"LegalHoldId": "none", "CancelDescription": "x"},
    },
    "CreateBackupVault": {
        "AlreadyExists": {"BackupVaultName": VAULT},
        "InvalidParameterValue": {"BackupVaultName": "a"},
        "LimitExceeded": {"BackupVaultName": "one-more"},
    },
    "CreateLegalHold": {
        "InvalidParameterValue": {**HOLD, "RecoveryPointSelection": {"VaultNames": ["v"]}},
        "LimitExceeded": {**HOLD, "Tags": {f"tag-{n}": "x" for n in range(51)}},
        "MissingParameterValue": {},
    },
    "DeleteBackupVault": {"InvalidRequest": {"BackupVaultName": VAULT}},
    "DeleteBackupVaultAccessPolicy": {
        "InvalidParameterValue": {"BackupVaultName": "a"},
        "ResourceNotFound": {"BackupVaultName": VAULT},
    },
    "DeleteBackupVaultLockConfiguration": {
        "InvalidParameterValue": {"BackupVaultName": "a"},
        "InvalidRequest": {"BackupVaultName": LOCKED},
        "ResourceNotFound": {"BackupVaultName": VAULT},
    },
    "DeleteRecoveryPoint": {
        "InvalidParameterValue": {**IN_VAULT, "RecoveryPointArn": "none"},
        "InvalidRequest": IN_VAULT,
        "InvalidResourceState": CREATED,
        "ResourceNotFound": {**IN_VAULT, "RecoveryPointArn": MISSING_POINT},
    },
    "DescribeBackupJob": {"ResourceNotFound": {"BackupJobId": "none"}},
    "DescribeRecoveryPoint": {
        "InvalidParameterValue": {**IN_VAULT, "RecoveryPointArn": "none"},
        "ResourceNotFound": {**IN_VAULT, "RecoveryPointArn": MISSING_POINT},
    },
    "DescribeCopyJob": {"ResourceNotFound": {"CopyJobId": "none"}},
    "DescribeRestoreJob": {"ResourceNotFound": {"RestoreJobId": "none"}},
    "GetBackupVaultAccessPolicy": {
        "InvalidParameterValue": {"BackupVaultName": "a"},
        "ResourceNotFound": {"BackupVaultName": VAULT},
    },
    "GetLegalHold": {"ResourceNotFound": {"LegalHoldId": "none"}},
    "GetRestoreJobMetadata": {"ResourceNotFound": {"RestoreJobId": "none"}},
    "GetRecoveryPointRestoreMetadata": {
        "InvalidParameterValue": {**IN_VAULT, "BackupVaultName": "a"},
        "ResourceNotFound": {**IN_VAULT, "RecoveryPointArn": MISSING_POINT},
    },
    "ListBackupJobs": {"InvalidParameterValue": {"ByState": "DONE"}},
    "ListBackupVaults": {"InvalidParameterValue": {"MaxResults": 1001}},
    "ListCopyJobs": {"InvalidParameterValue": {"ByState": "DONE"}},
    "ListLegalHolds": {"InvalidParameterValue": {"MaxResults": 1001}},
    "ListProtectedResources": {"InvalidParameterValue": {"MaxResults": 1001}},
    "ListRecoveryPointsByLegalHold": {"InvalidParameterValue": {"LegalHoldId": "none"}},
    "ListRestoreJobs": {"InvalidParameterValue": {"ByStatus": "DONE"}},
    "ListRecoveryPointsByBackupVault": {"InvalidParameterValue": {"BackupVaultName": VAULT, "NextToken": "forged"}},
    "ListRecoveryPointsByResource": {"InvalidParameterValue": {"ResourceArn": "none"}},
    "ListTags": {
        "InvalidParameterValue": {"ResourceArn": TABLE},
        "ResourceNotFound": {"ResourceArn": MISSING_POINT},
    },
    "PutBackupVaultAccessPolicy": {
        "InvalidParameterValue": {"BackupVaultName": VAULT, "Policy": "none"},
        "MissingParameterValue": {"BackupVaultName": VAULT},
    },
    "PutBackupVaultLockConfiguration": {
        "InvalidParameterValue": {"BackupVaultName": VAULT, "MinRetentionDays": 0},
        "InvalidRequest": {"BackupVaultName": LOCKED, "MinRetentionDays": 1},
    },
    "StartCopyJob": {
        "InvalidParameterValue": {**COPY, "RecoveryPointArn": "none"},
        "InvalidRequest": {**COPY, "RecoveryPointArn": CREATING},
        "LimitExceeded": COPY,
        "MissingParameterValue": {},
        "ResourceNotFound": {**COPY, "RecoveryPointArn": MISSING_POINT},
    },
    "StartRestoreJob": {
        "InvalidParameterValue": {**RESTORE, "Metadata": {"strange": "x"}},
        "InvalidRequest": {**RESTORE, "RecoveryPointArn": CREATING},
        "MissingParameterValue": {},
        "ResourceNotFound": {**RESTORE, "RecoveryPointArn": MISSING_POINT},
    },
    "StartBackupJob": {
        "InvalidParameterValue": {**START, "StartWindowMinutes": 59},
        "MissingParameterValue": {"BackupVaultName": VAULT},
    },
    "StopBackupJob": {
        "InvalidRequest": {"BackupJobId": JOB},
        "ResourceNotFound": {"BackupJobId": "none"},
    },
    "TagResource": {
        "InvalidParameterValue": {"ResourceArn": POINT, "Tags": {"aws:x": "y"}},
        "LimitExceeded": {"ResourceArn": POINT, "Tags": {f"tag-{n}": "x" for n in range(51)}},
        "MissingParameterValue": {"ResourceArn": POINT},
        "ResourceNotFound": {"ResourceArn": MISSING_POINT, "Tags": {"a": "b"}},
    },
    "UntagResource": {
        "InvalidParameterValue": {"ResourceArn": POINT, "TagKeyList": ["aws:x"]},
        "MissingParameterValue": {"ResourceArn": POINT},
        "ResourceNotFound": {"ResourceArn": MISSING_POINT, "TagKeyList": ["a"]},
    },
    "UpdateRecoveryPointLifecycle": {
        "InvalidParameterValue": {**IN_VAULT, "Lifecycle": {"DeleteAfterDays": 0}},
        "InvalidRequest": CREATED,
        "ResourceNotFound": {**IN_VAULT, "RecoveryPointArn": MISSING_POINT},
    },
    "UpdateRegionSettings": {
        "InvalidParameterValue": {"ResourceTypeOptInPreference": {"Strange": True}},
        "MissingParameterValue": {},
    },
}
ANY_ID = "any text may be a job id"
ANY_NAME = "the model lets any text be the name here"
NO_VAULT = "a missing vault is AccessDenied"
# Errors that an operation never answers, and why.
NEVER = {
    ("DeleteBackupVault", "InvalidParameterValue"): ANY_NAME,
    ("DeleteBackupVault", "ResourceNotFound"): NO_VAULT,
    ("DescribeBackupJob", "DependencyFailure"): "it depends on no other service",
    ("DescribeBackupJob", "InvalidParameterValue"): ANY_ID,
    ("DescribeBackupVault", "InvalidParameterValue"): ANY_NAME,
    ("DescribeCopyJob", "InvalidParameterValue"): ANY_ID,
    ("DescribeRestoreJob", "DependencyFailure"): "it depends on no other service",
    ("DescribeRestoreJob", "InvalidParameterValue"): ANY_ID,
    ("GetLegalHold", "InvalidParameterValue"): "any text may be a hold's id",
    ("GetRestoreJobMetadata", "InvalidParameterValue"): ANY_ID,
    ("ListRestoreJobs", "ResourceNotFound"): "it names nothing",
    ("PutBackupVaultAccessPolicy", "ResourceNotFound"): NO_VAULT,
    ("PutBackupVaultLockConfiguration", "ResourceNotFound"): NO_VAULT,
    ("DescribeBackupVault", "ResourceNotFound"): NO_VAULT,
    ("ListBackupVaults", "ResourceNotFound"): "it names nothing",
    ("ListRecoveryPointsByBackupVault", "ResourceNotFound"): NO_VAULT,
    ("ListRecoveryPointsByResource", "ResourceNotFound"): "a table without points has an empty list",
    ("StartBackupJob", "InvalidRequest"): "no document names a case",
    ("StartBackupJob", "LimitExceeded"): "no document gives a number of jobs",
    ("StartBackupJob", "ResourceNotFound"): "what is missing fails the job",
    ("StopBackupJob", "InvalidParameterValue"): ANY_ID,
}


def never(operation, error):
    """Why an operation never answers an error; none when nobody has said."""
    members, required = input_members(operation)
    if error == "MissingParameterValue" and not required:
        return "nothing is needed"
    if error == "MissingParameterValue" and all(members[name].serialization.get("location") == "uri" for name in required):
        return "all that is needed is in the path"
    return NEVER.get((operation, error))


def row(operation, problems):
    """One operation's line; what is wrong with it goes to the problems."""
    modelled = sorted(shape.name.removesuffix("Exception") for shape in SERVICE.operation_model(operation).error_shapes)
    probes, answers, excuses = PROBES.get(operation, {}), [], []
    for error in modelled:
        if error == UNAVAILABLE:
            found = outcome(silent, operation, path_members(operation))
        elif error in probes:
            found = outcome(client, operation, probes[error])
        else:
            excuses.append((error, never(operation, error)))
            continue
        answers.append(error)
        if found != error:
            problems.append(f"{operation}: the probe for {error} ends with {found}")
        if (operation, error) in NEVER:
            problems.append(f"{operation}: {error} is both probed and excused")
    for error, why in excuses:
        if why is None:
            problems.append(f"{operation}: {error} needs a probe in PROBES or a reason in NEVER")
    strange = {*probes, *(error for name, error in NEVER if name == operation)} - set(modelled)
    problems.extend(f"{operation}: {error} is not modelled" for error in sorted(strange))
    return f"| {operation} | {', '.join(answers)} | {'; '.join(f'{error}: {why}' for error, why in excuses)} |"


silent = connect(endpoint_url=SILENT)
elsewhere = connect(region_name="eu-west-3")
ALL = SERVICE.operation_names
EMULATED = [name for name in ALL if outcome(elsewhere, name, path_members(name)) != NOT_EMULATED]
for number in range(298):
    # As many vaults as a Region can have.
    client.create_backup_vault(BackupVaultName=f"vault-{number}")
for _ in range(5):
    # As many copies as a vault takes when the quota, which the test has set to none, is used up.
    client.start_copy_job(**COPY)
wrong = [f"{name} is not emulated, but has probes or reasons"
         for name in sorted({*PROBES, *(operation for operation, _ in NEVER)} - set(EMULATED))]
rows = [row(name, wrong) for name in EMULATED]
if wrong:
    sys.exit("\n".join(wrong))
modelled = sum(len(SERVICE.operation_model(name).error_shapes) for name in EMULATED)
answered = sum(len(line.split(" | ")[1].split(", ")) for line in rows)
print("| what | how much |\n|---|---|")
print(f"| operations of the service model that are emulated | {len(EMULATED)} of {len(ALL)}, the others answer 501 |")
print(f"| modelled errors of these operations that are answered | {answered} of {modelled}, the others have a reason below |")
print(f"| rows of this page, each with one test | {ROWS} |\n")
print("Names of errors are without their `Exception`; unmodelled ones, such as AccessDenied, can be had of every operation.\n")
print("| operation | modelled errors it answers | never, and why |\n|---|---|---|")
print("\n".join(rows))
