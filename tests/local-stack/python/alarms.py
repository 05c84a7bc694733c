"""Where ministack 1.5.33 differs from CloudWatch in what dynachain asks of alarms, CloudWatch's way.

Its clients speak Smithy RPC v2 CBOR, which names the operation in the path and has everything else in a CBOR body, or AWS JSON.
"""

import re

import cbor2
import corrections
from corrections import replaces
from ministack.core import iam_actions
from ministack.services import cloudwatch

OPERATION = re.compile(r"/service/GraniteServiceVersion20100801/operation/(\w+)")
TARGET = "GraniteServiceVersion20100801."
# What an alarm is made of besides its name, and besides what has a default that is told (CloudWatch API Reference,
# "PutMetricAlarm").
MEMBERS = [
    *("ActionConfiguration", "AlarmDescription", "ComparisonOperator", "DatapointsToAlarm", "EvaluateLowSampleCountPercentile"),
    *("EvaluationCriteria", "EvaluationInterval", "EvaluationPeriods", "EvaluationWindow", "ExtendedStatistic", "MetricName"),
    *("Metrics", "Namespace", "Period", "Statistic", "Threshold", "ThresholdMetricId", "Unit", "WarmUpConfiguration"),
]


def apply() -> None:
    """Puts all corrections in place; before the first request."""
    calls_are_authorized()
    alarms_keep_all_that_makes_them()


def operation_of(path: str) -> str:
    """The operation that a path of CloudWatch's names; empty for other paths."""
    found = OPERATION.fullmatch(path)
    return found[1] if found else ""


def fields(headers: dict, body: bytes) -> dict:
    """A request's members; none when it is not a map."""
    if headers.get("x-amz-target"):
        return corrections.fields(body)
    try:
        found = cbor2.loads(body) if body else {}
    except cbor2.CBORDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def calls_are_authorized() -> None:
    """Every call needs its permission, on the alarm that it names; ministack lets every CBOR call pass, and asks for `*`.

    DescribeAlarms is authorized on all alarms, whichever are asked for. Service Authorization Reference, "Amazon CloudWatch".
    """

    @replaces(iam_actions, "extract_iam_action")
    def _(original):
        def action(service, method, path, headers, body, query_params):
            operation = operation_of(path) if service == "monitoring" else ""
            if operation:
                return f"cloudwatch:{operation}"
            return original(service, method, path, headers, body, query_params)

        return action

    @replaces(iam_actions, "extract_resource_arn")
    def _(original):
        def resource(service, method, path, headers, body, query_params, region, account_id):
            if service != "monitoring":
                return original(service, method, path, headers, body, query_params, region, account_id)
            operation = operation_of(path) or headers.get("x-amz-target", "").removeprefix(TARGET)
            asked = fields(headers, body)
            names = asked.get("AlarmNames") or ["*"]
            name = "*" if operation == "DescribeAlarms" else asked.get("AlarmName") or names[0]
            return asked.get("ResourceARN") or f"arn:aws:cloudwatch:{region}:{account_id}:alarm:{name}"

        return resource

    @replaces(iam_actions, "request_tag_context")
    def _(original):
        def context(service, iam_action, body, params):
            # No permission here depends on the tags of an alarm.
            return {} if service == "monitoring" else original(service, iam_action, body, params)

        return context


def alarms_keep_all_that_makes_them() -> None:
    """An alarm is described as it was put: metric math and all; ministack keeps the plainest members, and makes others up.

    CloudWatch API Reference, "PutMetricAlarm" and "MetricAlarm".
    """

    @replaces(cloudwatch, "_put_metric_alarm")
    def _(original):
        def put(params, cbor_data, is_cbor, is_json=False):
            answer = original(params, cbor_data, is_cbor, is_json)
            alarm = cloudwatch._alarms.get(cbor_data.get("AlarmName"))
            if answer[0] == 200 and alarm:
                for member in MEMBERS:
                    alarm.pop(member, None)
                alarm.update({member: cbor_data[member] for member in MEMBERS if member in cbor_data})
            return answer

        return put
