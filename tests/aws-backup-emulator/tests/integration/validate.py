"""Holds raw answers of the emulator against boto3's service model: no member it does not know, every type right."""

import json
import sys

import boto3

VAULT, TABLE = sys.argv[1:]
client = boto3.client("backup")
checked = 0


def check(shape, value, where):
    """Raises when a raw JSON value is not of its shape."""
    kinds = {
        "structure": dict, "map": dict, "list": list, "string": str, "boolean": bool,
        "integer": int, "long": int, "timestamp": (int, float),
    }
    assert isinstance(value, kinds[shape.type_name]), f"{where}: {value!r} is no {shape.type_name}"
    if shape.type_name == "structure":
        for name, member in value.items():
            assert name in shape.members, f"{where}: unknown member {name}"
            check(shape.members[name], member, f"{where}.{name}")
    elif shape.type_name == "map":
        for key, member in value.items():
            check(shape.value, member, f"{where}[{key}]")
    elif shape.type_name == "list":
        for member in value:
            check(shape.member, member, f"{where}[]")
    elif getattr(shape, "enum", None):
        assert value in shape.enum, f"{where}: {value} is none of {shape.enum}"


def hold_against_the_model(http_response, model, **_):
    """Checks what the service sent, before boto3 makes its own of it."""
    global checked
    if http_response.status_code == 200 and http_response.content:
        check(model.output_shape, json.loads(http_response.content), model.name)
        checked += 1


client.meta.events.register("after-call.backup", hold_against_the_model)

client.describe_backup_vault(BackupVaultName=VAULT)
client.list_backup_vaults(MaxResults=1)
jobs = [job for page in client.get_paginator("list_backup_jobs").paginate(PaginationConfig={"PageSize": 1})
        for job in page["BackupJobs"]]
for job in jobs:
    client.describe_backup_job(BackupJobId=job["BackupJobId"])
pages = client.get_paginator("list_recovery_points_by_backup_vault").paginate(
    BackupVaultName=VAULT, ByResourceArn=TABLE, PaginationConfig={"PageSize": 1})
points = [point["RecoveryPointArn"] for page in pages for point in page["RecoveryPoints"]]
assert len(points) == 2 and len(jobs) == 3, (points, jobs)
for point in points:
    client.describe_recovery_point(BackupVaultName=VAULT, RecoveryPointArn=point)
    client.get_recovery_point_restore_metadata(BackupVaultName=VAULT, RecoveryPointArn=point)
    client.list_tags(ResourceArn=point)
restores = client.list_restore_jobs()["RestoreJobs"]
assert len(restores) == 2, restores
for restore in restores:
    client.describe_restore_job(RestoreJobId=restore["RestoreJobId"])
    client.get_restore_job_metadata(RestoreJobId=restore["RestoreJobId"])
client.list_recovery_points_by_resource(ResourceArn=TABLE)
client.list_protected_resources()
hold = client.create_legal_hold(Title="case", Description="42", Tags={"team": "law"}, RecoveryPointSelection={
    "VaultNames": [VAULT], "ResourceIdentifiers": [TABLE], "DateRange": {"FromDate": 1736143200.5, "ToDate": 1767225600}})
client.get_legal_hold(LegalHoldId=hold["LegalHoldId"])
client.list_legal_holds()
held = client.list_recovery_points_by_legal_hold(LegalHoldId=hold["LegalHoldId"])["RecoveryPoints"]
assert [point["RecoveryPointArn"] for point in held] == points, held
client.describe_region_settings()
assert checked >= 21, checked
print(f"{checked} answers checked")
