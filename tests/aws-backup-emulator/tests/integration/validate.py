"""Holds raw answers of AWS Backup against the service model that boto3 and the AWS CLI are made of.

An answer passes when it has no member that the model does not know, each value is of its type, pattern and enumeration, and
every member is there that AWS always gives. A refusal passes when the model has it for the operation, with its status and
its members, or when it is one of the few that AWS answers without modelling them.
"""

import json
import re
from collections import Counter

TYPES = {
    "structure": dict, "map": dict, "list": list, "string": str, "boolean": bool,
    "integer": int, "long": int, "timestamp": (int, float),
}
# Answered by AWS against the pattern of its own model (AWS CLI Command Reference, "describe-region-settings").
UNPATTERNED = ("SAP HANA on Amazon EC2", "Storage Gateway")
# The modelled errors that are the service's own fault.
FAULTS = ("ServiceUnavailableException", "DependencyFailureException")
ENDED = ("COMPLETED", "FAILED", "ABORTED", "EXPIRED", "PARTIAL")

# What AWS answers without modelling it: status, and the members of the body.
UNMODELLED = {
    "AccessDeniedException": (403, {"Message"}),
    "MissingAuthenticationTokenException": (403, {"message"}),
    "UnrecognizedClientException": (403, {"message"}),
    "SerializationException": (400, {"message"}),
    "ThrottlingException": (400, {"message"}),
    "NotImplementedException": (501, {"message"}),
}


def always(_):
    """Whatever the answer is."""
    return True


def ended(job):
    """Of a job that has ended."""
    return job.get("State") in ENDED


def unsuccessful(job):
    """Of a job that has ended in another way than it was meant to."""
    return ended(job) and job["State"] != "COMPLETED"


def completed(job):
    """Of a job that has ended as it was meant to."""
    return job.get("State") == "COMPLETED"


def restored(job):
    """Of a restore that has ended; its state goes by another name."""
    return job.get("Status") in ENDED


def running_or_completed(job):
    """Of a job that has begun to run."""
    return job.get("State") in ("RUNNING", "COMPLETED")


def made(point):
    """Of a recovery point that is complete."""
    return point.get("Status") == "COMPLETED"


BACKUP_JOB = [
    (always, "AccountId BackupJobId BackupVaultName BackupVaultArn VaultType ResourceArn ResourceName ResourceType "
             "CreationDate InitiationDate StartBy State PercentDone IamRoleArn BackupType IsParent"),
    (running_or_completed, "RecoveryPointArn EncryptionKeyArn IsEncrypted BackupSizeInBytes ExpectedCompletionDate"),
    (ended, "CompletionDate BytesTransferred MessageCategory"),
    (unsuccessful, "StatusMessage"),
]
RECOVERY_POINT = [
    (always, "RecoveryPointArn BackupVaultName BackupVaultArn VaultType ResourceArn ResourceName ResourceType IamRoleArn "
             "Status CreationDate InitiationDate IsEncrypted IsParent EncryptionKeyArn"),
    (made, "CompletionDate BackupSizeInBytes"),
    (lambda point: "Lifecycle" in point, "CalculatedLifecycle"),
    (lambda point: "CalculatedLifecycle" in point, "Lifecycle"),
]
BACKUP_VAULT = [
    (always, "BackupVaultName BackupVaultArn VaultType VaultState CreationDate EncryptionKeyArn NumberOfRecoveryPoints "
             "Locked"),
]
COPY_JOB = [
    (always, "AccountId CopyJobId SourceBackupVaultArn SourceRecoveryPointArn DestinationBackupVaultArn ResourceArn "
             "ResourceName ResourceType CreationDate State IamRoleArn BackupSizeInBytes IsParent"),
    (ended, "CompletionDate MessageCategory"),
    (completed, "DestinationRecoveryPointArn DestinationEncryptionKeyArn"),
    (unsuccessful, "StatusMessage"),
]
RESTORE_JOB = [
    (always, "AccountId RestoreJobId RecoveryPointArn SourceResourceArn BackupVaultArn CreationDate Status PercentDone "
             "BackupSizeInBytes IamRoleArn ResourceType RecoveryPointCreationDate IsParent"),
    (restored, "CompletionDate"),
    (lambda job: restored(job) and job["Status"] != "COMPLETED", "StatusMessage"),
    (lambda job: job.get("Status") in ("RUNNING", "COMPLETED"), "CreatedResourceArn"),
]
LEGAL_HOLD = [
    (always, "Title Status Description LegalHoldId LegalHoldArn CreationDate"),
    (lambda hold: hold.get("Status") == "CANCELED", "CancellationDate"),
]
# The members that AWS always gives, by the model's name of the structure, each line with its condition. Every structure
# that an answer begins with must be here, if only to say that it always has nothing.
ALWAYS = {
    "CreateBackupVaultOutput": [(always, "BackupVaultName BackupVaultArn CreationDate")],
    "DescribeBackupVaultOutput": BACKUP_VAULT,
    "BackupVaultListMember": BACKUP_VAULT,
    "ListBackupVaultsOutput": [(always, "BackupVaultList")],
    "StartBackupJobOutput": [(always, "BackupJobId CreationDate IsParent")],
    "DescribeBackupJobOutput": BACKUP_JOB,
    "BackupJob": BACKUP_JOB,
    "ListBackupJobsOutput": [(always, "BackupJobs")],
    "DescribeRecoveryPointOutput": [*RECOVERY_POINT, (always, "StorageClass")],
    "RecoveryPointByBackupVault": RECOVERY_POINT,
    "ListRecoveryPointsByBackupVaultOutput": [(always, "RecoveryPoints")],
    "RecoveryPointByResource": [
        (always, "RecoveryPointArn CreationDate Status ResourceName VaultType IsParent EncryptionKeyArn"),
        (made, "BackupSizeBytes"),
    ],
    "ListRecoveryPointsByResourceOutput": [(always, "RecoveryPoints")],
    "GetRecoveryPointRestoreMetadataOutput": [
        (always, "BackupVaultArn RecoveryPointArn RestoreMetadata ResourceType"),
    ],
    "UpdateRecoveryPointLifecycleOutput": [(always, "BackupVaultArn RecoveryPointArn Lifecycle CalculatedLifecycle")],
    "StartCopyJobOutput": [(always, "CopyJobId CreationDate IsParent")],
    "DescribeCopyJobOutput": [(always, "CopyJob")],
    "CopyJob": COPY_JOB,
    "ListCopyJobsOutput": [(always, "CopyJobs")],
    "StartRestoreJobOutput": [(always, "RestoreJobId")],
    "DescribeRestoreJobOutput": RESTORE_JOB,
    "RestoreJobsListMember": RESTORE_JOB,
    "ListRestoreJobsOutput": [(always, "RestoreJobs")],
    "GetRestoreJobMetadataOutput": [(always, "RestoreJobId Metadata")],
    "CreateLegalHoldOutput": LEGAL_HOLD,
    "GetLegalHoldOutput": LEGAL_HOLD,
    "LegalHold": LEGAL_HOLD,
    "ListLegalHoldsOutput": [(always, "LegalHolds")],
    "CancelLegalHoldOutput": [],
    "RecoveryPointMember": [(always, "RecoveryPointArn ResourceArn ResourceType BackupVaultName")],
    "ListRecoveryPointsByLegalHoldOutput": [(always, "RecoveryPoints")],
    "ProtectedResource": [
        (always, "ResourceArn ResourceName ResourceType LastBackupTime LastBackupVaultArn LastRecoveryPointArn"),
    ],
    "ListProtectedResourcesOutput": [(always, "Results")],
    "GetBackupVaultAccessPolicyOutput": [(always, "BackupVaultName BackupVaultArn Policy")],
    "ListTagsOutput": [(always, "Tags")],
    "DescribeRegionSettingsOutput": [(always, "ResourceTypeOptInPreference ResourceTypeManagementPreference")],
    "AlreadyExistsException": [(always, "Arn")],
}


class Wrong(AssertionError):
    """An answer that AWS would not give."""


def demand(good, where, what):
    """Raises when something is not as it must be."""
    if not good:
        raise Wrong(f"{where}: {what}")


def check(shape, value, where):
    """Raises when a raw JSON value is not of its shape."""
    kind = shape.type_name
    is_type = isinstance(value, TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))
    demand(is_type, where, f"{value!r} is no {kind}")
    if kind == "structure":
        check_structure(shape, value, where)
    elif kind == "map":
        for key, member in value.items():
            check(shape.key, key, f"{where}[{key}]")
            check(shape.value, member, f"{where}[{key}]")
    elif kind == "list":
        for number, member in enumerate(value):
            check(shape.member, member, f"{where}[{number}]")
    elif kind == "string":
        pattern = shape.metadata.get("pattern")
        demand(not shape.enum or value in shape.enum, where, f"{value} is none of {shape.enum}")
        fits = not pattern or value in UNPATTERNED or re.search(pattern, value)
        demand(fits, where, f"{value!r} does not match {pattern}")
    elif kind == "timestamp":
        demand(value > 0 and round(value, 3) == value, where, f"{value} is no time in seconds and milliseconds")


def check_structure(shape, value, where):
    """Raises when a structure has a member too many or too few, or one that is wrong."""
    for name, member in value.items():
        demand(name in shape.members, where, f"unknown member {name}")
        check(shape.members[name], member, f"{where}.{name}")
    for condition, names in ALWAYS.get(shape.name, []):
        missing = [name for name in names.split() if name not in value]
        demand(not missing or not condition(value), where, f"{', '.join(missing)} missing in {value}")


def check_answer(model, body):
    """Raises when an answer is not one of this operation."""
    if model.output_shape is None:
        demand(not body, model.name, f"{body!r} where nothing is answered")
        return
    demand(model.output_shape.name in ALWAYS, model.name,
           f"validate.py does not say what {model.output_shape.name} always has")
    # An answer that has nothing to say may be empty.
    check(model.output_shape, json.loads(body or "{}"), model.name)


def check_refusal(model, status, name, body):
    """Raises when AWS would not refuse this operation so."""
    where, members = f"{model.name} {status} {name}", json.loads(body)
    shape = next((shape for shape in model.error_shapes if shape.name == name), None)
    if shape is None:
        demand(name in UNMODELLED, where, "not modelled for this operation")
        demand((status, set(members)) == UNMODELLED[name], where, f"status and members are not so: {members}")
        return
    server = name in FAULTS
    demand(status == (500 if server else 400), where, "another status belongs to it")
    check(shape, members, where)
    missing = {"Code", "Message", "Type", "Context"} - set(members)
    demand(not missing, where, f"{missing} missing in {members}")
    demand(members["Type"] == ("Server" if server else "Client"), where, f"Type is {members['Type']}")


class Watch:
    """A handler of botocore's `after-call` event that checks each answer, before the client makes its own of it."""

    def __init__(self):
        self.answers = Counter()
        self.refusals = Counter()

    def __call__(self, http_response, model, **_):
        status, headers, body = http_response.status_code, http_response.headers, http_response.content
        for header in ("content-type", "date", "x-amzn-requestid"):
            demand(headers.get(header), model.name, f"no header {header}")
        if status in (200, 201):
            demand("x-amzn-errortype" not in headers, model.name, "a success that names an error")
            check_answer(model, body)
            self.answers[model.name] += 1
        else:
            name = headers.get("x-amzn-errortype", "no error")
            check_refusal(model, status, name, body)
            self.refusals[(model.name, name)] += 1
