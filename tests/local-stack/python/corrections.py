"""Where ministack 1.5.33 differs from AWS in what dynachain's template and functions rest on, AWS's way.

Each correction names the AWS document that it follows. All of them make the local AWS stricter or complete; none hides
anything. They patch functions by name, so `apply` fails at once when a later ministack has moved one.
"""

import base64
import json
import os
import re
from dataclasses import replace
from functools import wraps

import boto3
from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import error_response_json, get_account_id, get_region, request_scope
from ministack.services import dynamodb, eventbridge, iam, kms, scheduler
from ministack.services.cloudformation import provisioners, stacks


def apply() -> None:
    """Puts all corrections in place; before the first request."""
    schedules_are_authorized_in_their_group()
    tables_are_authorized_by_their_arn()
    variables_in_conditions()
    keys_of_other_accounts()
    data_keys_of_other_keys()
    condition_keys_of_requests()
    simulations_are_authorized_by_their_role()
    simulations_know_context_and_resources()
    schedules_are_listed_page_by_page()
    stacks_of_two_regions_share_no_names()
    replica_keys_from_templates()
    vaults_in_the_backup_emulator()
    only_the_waker_wakes()
    tables_being_created_cannot_be_used()
    tables_keep_warm_throughput_and_maxima_of_indexes()
    tables_being_updated_take_no_other_update()
    point_in_time_recovery_has_a_period()
    contributor_insights_have_a_mode()
    deleted_tables_take_their_policy_and_insights_along()
    streams_are_enabled_once()
    policies_of_streams_need_the_stream()


def replaces(module, name: str):
    """The decorated function, given the original one, takes its place."""
    original = getattr(module, name)

    def install(replacement):
        setattr(module, name, wraps(original)(replacement(original)))

    return install


def fields(body: bytes) -> dict:
    """A JSON request's members; none when it is not an object."""
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def schedules_are_authorized_in_their_group() -> None:
    """The ARN is `schedule/<group>/<name>`; ministack says `default` whatever the group.

    Service Authorization Reference, "Amazon EventBridge Scheduler".
    """

    @replaces(iam_actions, "extract_resource_arn")
    def _(original):
        def extract(service, method, path, headers, body, query_params, region, account_id):
            arn = original(service, method, path, headers, body, query_params, region, account_id)
            if service != "scheduler" or ":schedule/default/" not in arn:
                return arn
            group = fields(body).get("GroupName") or query_params.get("groupName") or "default"
            group = group[0] if isinstance(group, list) else group
            return arn.replace(":schedule/default/", f":schedule/{group}/")

        return extract


def tables_are_authorized_by_their_arn() -> None:
    """Calls that name a table by `ResourceArn` are about that table; ministack asks for `*`, which a policy for tables denies.

    Service Authorization Reference, "Amazon DynamoDB".
    """

    @replaces(iam_actions, "dynamodb_resource_arns")
    def _(original):
        def named(body, region, account_id):
            arn = fields(body).get("ResourceArn")
            return [arn] if isinstance(arn, str) and arn else original(body, region, account_id)

        return named


def condition_keys_of_requests() -> None:
    """`kms:EncryptionContextKeys`, `kms:EncryptionContext:<key>`, `events:source` and `dynamodb:LeadingKeys`, which ministack
    leaves out.

    Key Management Service Developer Guide, "AWS KMS condition keys"; EventBridge User Guide, "Using IAM policy conditions";
    DynamoDB Developer Guide, "Using IAM policy conditions for fine-grained access control".
    """

    def leading_key(request):
        table = dynamodb._tables.get(dynamodb._normalize_table_name(request.get("TableName") or ""))
        schema = table["KeySchema"] if table else []
        name = next((key["AttributeName"] for key in schema if key["KeyType"] == "HASH"), None)
        value = (request.get("Item") or request.get("Key") or {}).get(name)
        return list(value.values()) if isinstance(value, dict) else []

    @replaces(iam_actions, "request_tag_context")
    def _(original):
        def context(service, iam_action, body, params):
            found = original(service, iam_action, body, params)
            if service == "kms":
                encryption = fields(body).get("EncryptionContext") or {}
                if encryption:
                    found["kms:EncryptionContextKeys"] = list(encryption)
                found |= {f"kms:EncryptionContext:{key}": value for key, value in encryption.items()}
            if service == "dynamodb" and (keys := leading_key(fields(body))):
                found["dynamodb:LeadingKeys"] = keys
            if iam_action == "events:PutEvents":
                sources = {entry.get("Source") for entry in fields(body).get("Entries") or []}
                # Each entry is authorized by itself: of different ones no single value stands for all.
                found["events:source"] = sources.pop() if len(sources) == 1 else sorted(map(str, sources))
            return found

        return context


def variables_in_conditions() -> None:
    """`${aws:PrincipalAccount}` and the like stand for what the request has; ministack compares them as they are written.

    A variable without a value stays as it is, and matches nothing. IAM User Guide, "IAM policy elements: Variables and tags".
    """

    @replaces(iam_evaluator, "_conditions_met")
    def _(original):
        def met(conditions, request):
            def value_of(variable):
                value = iam_evaluator._resolve_condition_key(variable[1], request)
                return json.dumps(value)[1:-1] if isinstance(value, str) else variable[0]

            return original(json.loads(re.sub(r"\$\{([^}]+)\}", value_of, json.dumps(conditions))), request)

        return met


def account_of(arn) -> str:
    """The account in an ARN; none where there is no ARN."""
    parts = arn.split(":") if isinstance(arn, str) and arn.startswith("arn:") else []
    return parts[4] if len(parts) > 5 else ""


def keys_of_other_accounts() -> None:
    """A key's ARN names it from any account, for the operations that may be used so; both accounts must allow the call.

    Key Management Service Developer Guide, "Allowing users in other accounts to use a KMS key".
    """
    across = {"Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext"}

    @replaces(kms, "key_policy_for_arn")
    def _(original):
        def policy(arn):
            with request_scope(account_of(arn) or get_account_id(), get_region()):
                return original(arn)

        return policy

    @replaces(kms, "handle_request")
    def _(original):
        async def handle(method, path, headers, body, query_params):
            owner = account_of(fields(body).get("KeyId"))
            if not owner or headers.get("x-amz-target", "").rpartition(".")[2] not in across:
                return await original(method, path, headers, body, query_params)
            with request_scope(owner, get_region()):
                return await original(method, path, headers, body, query_params)

        return handle


def data_keys_of_other_keys() -> None:
    """Decrypt with a key that did not encrypt refuses; ministack unwraps with any key, to something else.

    Key Management Service API Reference, "Decrypt": IncorrectKeyException. Multi-Region keys share their id.
    """

    @replaces(kms, "_decrypt")
    def _(original):
        def decrypt(data):
            key = kms._resolve_key(data.get("KeyId"))
            if not key or kms._check_key_state(key) or "_symmetric_key" not in key:
                return original(data)
            by = base64.b64decode(data.get("CiphertextBlob", ""))[:36].decode("utf-8", errors="replace")
            if by == key["KeyId"]:
                return original(data)
            if any(known == by for _, _, known in kms._keys._data):
                message = "The key ID in the request does not identify a CMK that can perform this operation."
                return error_response_json("IncorrectKeyException", message, 400)
            return error_response_json("InvalidCiphertextException", "", 400)

        return decrypt


def schedules_are_listed_page_by_page() -> None:
    """ListSchedules goes on with `NextToken`; ministack ends after the first page, without one.

    EventBridge Scheduler API Reference, "ListSchedules".
    """

    @replaces(scheduler, "_list_schedules")
    def _(original):
        def listed(query):
            size, start = int(query.get("MaxResults", 100)), int(query.get("NextToken") or 0)
            status, headers, body = original({**query, "MaxResults": 1_000_000})
            if status != 200:
                return status, headers, body
            found = json.loads(body)["Schedules"]
            page = {"Schedules": found[start : start + size]}
            if start + size < len(found):
                page["NextToken"] = str(start + size)
            return status, headers, json.dumps(page).encode()

        return listed


def stacks_of_two_regions_share_no_names() -> None:
    """A generated name is unique to its stack; ministack makes the same one for stacks of one name in two Regions.

    Roles belong to no Region: the second stack's would replace the first one's. CloudFormation User Guide, "Name type".
    """

    @replaces(provisioners, "_physical_name")
    def _(original):
        def named(*args, **kwargs):
            seed = provisioners._NAME_SEED
            token = seed.set(f"{get_region()}{seed.get()}")
            try:
                return original(*args, **kwargs)
            finally:
                seed.reset(token)

        return named


def replica_keys_from_templates() -> None:
    """`AWS::KMS::ReplicaKey`, of which ministack has the API but not the CloudFormation type."""

    def create(logical_id, props, stack_name):
        primary = props["PrimaryKeyArn"]
        region = get_region()
        policy = props["KeyPolicy"]
        request = {
            "KeyId": primary,
            "ReplicaRegion": region,
            "Policy": policy if isinstance(policy, str) else json.dumps(policy),
            "Description": props.get("Description", ""),
            "Tags": provisioners._kms_tags(props),
        }
        with request_scope(get_account_id(), primary.split(":")[3]):
            status, _, body = kms._replicate_key(request)
        answer = json.loads(body)
        if status != 200:
            raise ValueError(f"AWS::KMS::ReplicaKey {logical_id}: {answer.get('message')}")
        key = answer["ReplicaKeyMetadata"]
        return key["KeyId"], {"Arn": key["Arn"], "KeyId": key["KeyId"]}

    provisioners._RESOURCE_HANDLERS["AWS::KMS::ReplicaKey"] = {
        "create": create,
        "delete": provisioners._kms_key_delete,
    }


def vaults_in_the_backup_emulator() -> None:
    """`AWS::Backup::BackupVault` makes its vault where AWS Backup is emulated, not in ministack's own stub of it."""

    def backup():
        return boto3.client(
            "backup",
            region_name=get_region(),
            endpoint_url=os.environ["AWS_ENDPOINT_URL_BACKUP"],
            # The account's root: twelve digits are its own key.
            aws_access_key_id=get_account_id(),
            aws_secret_access_key="test",
        )

    def create(logical_id, props, stack_name):
        # CloudFormation's own tags: no client may set them.
        tags = {key: value for key, value in props.get("BackupVaultTags", {}).items() if not key.startswith("aws:")}
        name, key = props["BackupVaultName"], props["EncryptionKeyArn"]
        client = backup()
        made = client.create_backup_vault(BackupVaultName=name, EncryptionKeyArn=key, BackupVaultTags=tags)
        if policy := props.get("AccessPolicy"):
            client.put_backup_vault_access_policy(BackupVaultName=name, Policy=json.dumps(policy))
        return name, {"BackupVaultArn": made["BackupVaultArn"], "BackupVaultName": name}

    def delete(physical_id, props):
        backup().delete_backup_vault(BackupVaultName=physical_id)

    provisioners._RESOURCE_HANDLERS["AWS::Backup::BackupVault"] = {"create": create, "delete": delete}

    @replaces(stacks, "_runs_on_worker_thread")
    def _(original):
        # The emulator asks ministack who calls: ministack must be free to answer meanwhile.
        return lambda resource_type: resource_type == "AWS::Backup::BackupVault" or original(resource_type)


def only_the_waker_wakes() -> None:
    """Schedules and `rate` rules follow the emulated clock: ministack's own sweeps, by the real one, stay off."""

    @replaces(scheduler, "start_scheduler")
    def _(original):
        return lambda: None

    @replaces(eventbridge, "start_scheduler")
    def _(original):
        return lambda: None


def simulations_are_authorized_by_their_role() -> None:
    """SimulatePrincipalPolicy is about the role in `PolicySourceArn`; ministack asks for `*`, which a policy for roles denies.

    Service Authorization Reference, "AWS Identity and Access Management (IAM)".
    """

    @replaces(iam_actions, "extract_resource_arn")
    def _(original):
        def extract(service, method, path, headers, body, query_params, region, account_id):
            source = (query_params or {}).get("PolicySourceArn")
            source = source[0] if isinstance(source, list) else source
            if service == "iam" and source:
                return source
            return original(service, method, path, headers, body, query_params, region, account_id)

        return extract


def simulations_know_context_and_resources() -> None:
    """SimulatePrincipalPolicy evaluates each resource, in the given context; ministack takes the first one, without any.

    IAM API Reference, "SimulatePrincipalPolicy", "EvaluationResult".
    """

    def members(params, name):
        found = []
        while value := iam._p(params, f"{name}.member.{len(found) + 1}"):
            found.append(value)
        return found

    def context_of(params):
        entries = {}
        while key := iam._p(params, f"ContextEntries.member.{len(entries) + 1}.ContextKeyName"):
            at = f"ContextEntries.member.{len(entries) + 1}."
            values = members(params, f"{at}ContextKeyValues")
            is_list = iam._p(params, f"{at}ContextKeyType").endswith("List")
            entries[key.lower()] = values if is_list else values[0]
        return entries

    def missing_keys(statements, request):
        """The keys without a value that statements depend on which would allow the request."""
        keys = set()
        for statement in statements:
            matches = iam_evaluator._first_match(request, [replace(statement, conditions={})], "Allow")
            for condition in statement.conditions.values() if matches else []:
                keys |= {key for key in condition if iam_evaluator._resolve_condition_key(key, request) is None}
        return sorted(keys)

    def evaluated(params, role, account, action, resource):
        request = iam_evaluator.EvalContext(
            principal_arn=role,
            principal_type="AssumedRole",
            principal_account=account,
            action=action,
            resource_arn=resource,
            region=get_region(),
            service_context=context_of(params),
        )
        policies = iam_evaluator._gather_role_policies(role.rpartition("/")[2], account)
        decision = iam_evaluator.evaluate(request, policies).decision
        missing = missing_keys([statement for policy in policies for statement in policy], request)
        return decision, missing if decision == "ImplicitDeny" else []

    def simulate(params):
        role, account = iam._p(params, "PolicySourceArn"), get_account_id()
        name = role.rpartition("/")[2]
        if iam._roles.get_scoped(account, None, name) is None:
            return iam._error(404, "NoSuchEntity", f"The role with name {name} cannot be found.", ns="iam")
        words = {"Allow": "allowed", "Deny": "explicitDeny", "ImplicitDeny": "implicitDeny"}
        results = ""
        for action in members(params, "ActionNames"):
            single, worst = "", "Allow"
            for resource in members(params, "ResourceArns") or ["*"]:
                decision, missing = evaluated(params, role, account, action, resource)
                worst = max(worst, decision, key=["Allow", "ImplicitDeny", "Deny"].index)
                keys = "".join(f"<member>{key}</member>" for key in missing)
                single += (
                    f"<member><EvalResourceName>{resource}</EvalResourceName>"
                    f"<EvalResourceDecision>{words[decision]}</EvalResourceDecision>"
                    f"<MissingContextValues>{keys}</MissingContextValues></member>"
                )
            results += (
                f"<member><EvalActionName>{action}</EvalActionName><EvalResourceName>*</EvalResourceName>"
                f"<EvalDecision>{words[worst]}</EvalDecision>"
                f"<ResourceSpecificResults>{single}</ResourceSpecificResults></member>"
            )
        answer = f"<EvaluationResults>{results}</EvaluationResults><IsTruncated>false</IsTruncated>"
        wrapped = f"<SimulatePrincipalPolicyResult>{answer}</SimulatePrincipalPolicyResult>"
        return iam._xml(200, "SimulatePrincipalPolicyResponse", wrapped, ns="iam")

    # Handlers are found in a table of their own: the name alone would change nothing.
    assert iam._IAM_HANDLERS["SimulatePrincipalPolicy"] is iam._simulate_principal_policy
    iam._IAM_HANDLERS["SimulatePrincipalPolicy"] = simulate


# What each operation answers about a table that is being created.
NO_ITEMS = ("ResourceNotFoundException", "Cannot do operations on a non-existent table")
IN_USE = ("ResourceInUseException", "Attempt to change a resource which is still in use: Table is being created")
NO_BACKUPS = ("ContinuousBackupsUnavailableException", "Backups are being enabled for the table. Please retry later")
UNUSABLE = {
    **dict.fromkeys(("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan"), NO_ITEMS),
    **dict.fromkeys(("BatchGetItem", "BatchWriteItem", "TransactGetItems", "TransactWriteItems"), NO_ITEMS),
    **dict.fromkeys(("UpdateTable", "DeleteTable", "UpdateTimeToLive", "TagResource", "UntagResource"), IN_USE),
    **dict.fromkeys(("PutResourcePolicy", "EnableKinesisStreamingDestination"), IN_USE),
    "UpdateContinuousBackups": NO_BACKUPS,
}
# Whoever fills a table while it is being created, as a restore does, says so in this header.
FILLS = "x-local-fill"


def tables_of(request: dict) -> set[str]:
    """The tables that a request to DynamoDB names, as far as it is in order; what is not, ministack refuses."""
    found = [request.get("TableName"), request.get("ResourceArn")]
    batch, transaction = request.get("RequestItems"), request.get("TransactItems")
    found += batch if isinstance(batch, dict) else []
    for item in transaction if isinstance(transaction, list) else []:
        actions = item.values() if isinstance(item, dict) else []
        found += [action.get("TableName") for action in actions if isinstance(action, dict)]
    return {dynamodb._normalize_table_name(name) for name in found if isinstance(name, str) and name}


def tables_being_created_cannot_be_used() -> None:
    """A table in `CREATING` takes neither items nor changes; ministack makes tables at once, and so never refuses them.

    DynamoDB API Reference, "CreateTable", "UpdateTable" and "UpdateContinuousBackups".
    """

    @replaces(dynamodb, "handle_request")
    def _(original):
        async def handle(method, path, headers, body, query_params):
            refusal = UNUSABLE.get(headers.get("x-amz-target", "").rpartition(".")[2])
            if refusal and FILLS not in headers:
                tables = [dynamodb._tables.get(name) for name in tables_of(fields(body))]
                if any(table and table["TableStatus"] == "CREATING" for table in tables):
                    return error_response_json(*refusal, 400)
            return await original(method, path, headers, body, query_params)

        return handle


def with_table(answer: tuple, name: str) -> tuple:
    """The answer of an UpdateTable that was taken, with the table as it is now; any other as it is."""
    if answer[0] != 200:
        return answer
    return dynamodb.json_response({"TableDescription": dynamodb._table_description(name)})


def tables_keep_warm_throughput_and_maxima_of_indexes() -> None:
    """UpdateTable takes `WarmThroughput`, which only rises, and `OnDemandThroughput` of indexes; ministack drops both.

    DynamoDB API Reference, "UpdateTable" and "UpdateGlobalSecondaryIndexAction"; Developer Guide, "Warm throughput".
    """

    def keep(settings: dict, described: dict) -> None:
        if warm := settings.get("WarmThroughput"):
            described["WarmThroughput"] = {**warm, "Status": "ACTIVE"}
        if maxima := settings.get("OnDemandThroughput"):
            described["OnDemandThroughput"] = maxima

    def falls(settings: dict, described: dict) -> bool:
        wanted, there = settings.get("WarmThroughput") or {}, described.get("WarmThroughput") or {}
        return any(wanted[units] < there.get(units, 0) for units in wanted if units != "Status")

    @replaces(dynamodb, "_update_table")
    def _(original):
        def update(data):
            name = dynamodb._normalize_table_name(data.get("TableName"))
            table = dynamodb._tables.get(name)
            if table is None:
                return original(data)
            updates = [update["Update"] for update in data.get("GlobalSecondaryIndexUpdates", []) if "Update" in update]
            indexes = {index["IndexName"]: index for index in table.get("GlobalSecondaryIndexes", [])}
            changed = [(data, table)] + [(update, indexes.get(update["IndexName"], {})) for update in updates]
            if any(falls(settings, described) for settings, described in changed):
                message = "One or more parameter values were invalid: warm throughput cannot be decreased"
                return error_response_json("ValidationException", message, 400)
            answer = original(data)
            for settings, described in changed if answer[0] == 200 else []:
                keep(settings, described)
            return with_table(answer, name)

        return update


# How often a table's class may be changed in 30 days.
CLASS_CHANGES = 2


def tables_being_updated_take_no_other_update() -> None:
    """A table in `UPDATING` refuses UpdateTable, and a third change of its class in 30 days is refused; ministack takes both.

    DynamoDB API Reference, "UpdateTable"; Developer Guide, "Considerations when choosing a table class in DynamoDB". Which
    error the latter is, is not documented. ministack's tables never are in `UPDATING` by themselves: tests put them there.
    """

    @replaces(dynamodb, "_update_table")
    def _(original):
        def update(data):
            table = dynamodb._tables.get(dynamodb._normalize_table_name(data.get("TableName")))
            if table and table["TableStatus"] == "UPDATING":
                message = f"Attempt to change a resource which is still in use: Table is being updated: {table['TableName']}"
                return error_response_json("ResourceInUseException", message, 400)
            changes = table.get("_class_changes", 0) if table else 0
            if "TableClass" in data and changes >= CLASS_CHANGES:
                message = f"Subscriber limit exceeded: {CLASS_CHANGES} table class updates in 30 days are allowed"
                return error_response_json("LimitExceededException", message, 400)
            answer = original(data)
            if "TableClass" in data and answer[0] == 200:
                table["_class_changes"] = changes + 1
            return answer

        return update


def point_in_time_recovery_has_a_period() -> None:
    """`RecoveryPeriodInDays`, 35 unless it is said; ministack neither keeps nor tells it.

    DynamoDB API Reference, "PointInTimeRecoverySpecification" and "PointInTimeRecoveryDescription".
    """

    def of(data) -> dict | None:
        return dynamodb._tables.get(dynamodb._normalize_table_name(data.get("TableName")))

    def told(data, answer: tuple) -> tuple:
        if answer[0] != 200:
            return answer
        body = json.loads(answer[2])
        described = body["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
        if described["PointInTimeRecoveryStatus"] == "ENABLED":
            described["RecoveryPeriodInDays"] = of(data).get("_recovery_days", 35)
        return dynamodb.json_response(body)

    @replaces(dynamodb, "_update_continuous_backups")
    def _(original):
        def update(data):
            answer = original(data)
            days = data.get("PointInTimeRecoverySpecification", {}).get("RecoveryPeriodInDays")
            if answer[0] == 200 and days:
                of(data)["_recovery_days"] = days
            return told(data, answer)

        return update

    @replaces(dynamodb, "_describe_continuous_backups")
    def _(original):
        return lambda data: told(data, original(data))


def contributor_insights_have_a_mode() -> None:
    """`ContributorInsightsMode`; ministack neither keeps nor tells it.

    DynamoDB API Reference, "UpdateContributorInsights" and "DescribeContributorInsights".
    """

    def entry(data) -> dict:
        name = dynamodb._normalize_table_name(data.get("TableName") or "")
        return dynamodb._contributor_insights.get(dynamodb._ci_key(name, data.get("IndexName"))) or {}

    def told(data, answer: tuple) -> tuple:
        mode = entry(data).get("_mode")
        if answer[0] != 200 or not mode:
            return answer
        return dynamodb.json_response({**json.loads(answer[2]), "ContributorInsightsMode": mode})

    @replaces(dynamodb, "_update_contributor_insights")
    def _(original):
        def update(data):
            answer = original(data)
            if answer[0] == 200 and data["ContributorInsightsAction"] == "ENABLE":
                entry(data)["_mode"] = data.get("ContributorInsightsMode", "ACCESSED_AND_THROTTLED_KEYS")
            return told(data, answer)

        return update

    @replaces(dynamodb, "_describe_contributor_insights")
    def _(original):
        return lambda data: told(data, original(data))


def deleted_tables_take_their_policy_and_insights_along() -> None:
    """A table made anew has neither the resource policy nor the Contributor Insights of the one before; ministack keeps both.

    DynamoDB Developer Guide, "Resource-based policy considerations" and "Using Contributor Insights".
    """

    @replaces(dynamodb, "_delete_table")
    def _(original):
        def delete(data):
            name = dynamodb._normalize_table_name(data.get("TableName"))
            table = dynamodb._tables.get(name)
            answer = original(data)
            if table and answer[0] == 200:
                indexes = [index["IndexName"] for index in table.get("GlobalSecondaryIndexes", [])]
                for index in [None, *indexes]:
                    dynamodb._contributor_insights.pop(dynamodb._ci_key(name, index), None)
                dynamodb._resource_policies.pop(table["TableArn"], None)
            return answer

        return delete


def streams_are_enabled_once() -> None:
    """A table whose stream is on refuses to have one enabled; ministack takes it, and changes the view of the one there is.

    DynamoDB API Reference, "UpdateTable", "StreamSpecification".
    """

    @replaces(dynamodb, "_update_table")
    def _(original):
        def update(data):
            table = dynamodb._tables.get(dynamodb._normalize_table_name(data.get("TableName"))) or {}
            is_on = (table.get("StreamSpecification") or {}).get("StreamEnabled")
            if is_on and (data.get("StreamSpecification") or {}).get("StreamEnabled"):
                message = f"Table already has an enabled stream: TableName: {table['TableName']}"
                return error_response_json("ValidationException", message, 400)
            return original(data)

        return update


def policies_of_streams_need_the_stream() -> None:
    """A stream's policy is of a stream that there is or was of late; ministack takes one for any stream of a table that there is.

    DynamoDB API Reference, "PutResourcePolicy" and "GetResourcePolicy": ResourceNotFoundException.
    """

    @replaces(dynamodb, "_resource_arn_exists")
    def _(original):
        def exists(arn):
            if "/stream/" not in arn:
                return original(arn)
            table = dynamodb._tables.get(dynamodb._table_name_from_arn(arn)) or {}
            return arn == table.get("LatestStreamArn") or arn in dynamodb._closed_streams

        return exists
