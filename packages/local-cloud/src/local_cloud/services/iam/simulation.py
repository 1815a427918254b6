"""SimulatePrincipalPolicy: what the identity policies of a role or user say to actions on resources.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html. As there, policies of resources do
not count unless they are given; giving them, or further policies, is refused by name.
"""

from __future__ import annotations

from typing import Any

from local_cloud.permissions.callers import Caller, Callers
from local_cloud.permissions.evaluation import Question, decide

_REFUSED = ("PolicyInputList", "PermissionsBoundaryPolicyInputList", "ResourcePolicy", "CallerArn", "ResourceOwner")


def install(callers: Callers) -> None:
    from moto.core.responses import ActionResult
    from moto.iam.exceptions import InvalidInput, NoSuchEntity
    from moto.iam.responses import IamResponse

    def simulate(response: Any) -> Any:
        for name in _REFUSED:
            if response._get_param(name):
                raise InvalidInput(f"{name} is not supported here: only a principal's own policies are simulated")
        arn = response._get_param("PolicySourceArn")
        caller = callers.of_arn(arn)
        if caller is None:
            raise NoSuchEntity(f"The policy source {arn} cannot be found.")
        entries = response._get_param("ContextEntries", [])
        context = caller.keys | {one["ContextKeyName"].lower(): tuple(one["ContextKeyValues"]) for one in entries}
        results = [
            _result(callers, caller, Question(action, resource, context))
            for action in response._get_param("ActionNames", [])
            for resource in response._get_param("ResourceArns", ["*"])
        ]
        return ActionResult({"EvaluationResults": results, "IsTruncated": False})

    IamResponse.simulate_principal_policy = simulate


def _result(callers: Callers, caller: Caller, question: Question) -> dict[str, Any]:
    decision = decide(question, caller.principal, callers.policies(caller))
    refused = "explicitDeny" if "explicit deny" in decision.refusal else "implicitDeny"
    return {
        "EvalActionName": question.action,
        "EvalResourceName": question.resource,
        "EvalDecision": "allowed" if decision.allowed else refused,
        "MatchedStatements": [{"SourcePolicyId": decision.policy.name}] if decision.policy else [],
        "MissingContextValues": [],
    }
