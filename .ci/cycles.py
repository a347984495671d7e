"""Translates template.yaml as AWS does, and finds resources that wait for each other: only a deployment would tell."""

import copy
import re
import sys

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

# CloudFormation's own names, which are no resources.
SUBSTITUTIONS = re.compile(r"\$\{([A-Za-z0-9]+)[.}]")


class NoManagedPolicies:
    """Policies by name would be asked for at AWS; the template names none."""

    def load(self):
        return {}


def translated(template):
    parameters = {name: str(given.get("Default", "-")) for name, given in template["Parameters"].items()}
    packaged = copy.deepcopy(template)
    packaged["Globals"]["Function"]["CodeUri"] = "s3://bucket/functions.zip"
    return transform(packaged, parameters, NoManagedPolicies())


def names_in(node):
    """All that a part of the translated template refers to."""
    if isinstance(node, list):
        for item in node:
            yield from names_in(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "Ref":
                yield value
            elif key == "Fn::GetAtt":
                yield value.split(".")[0] if isinstance(value, str) else value[0]
            elif key == "DependsOn":
                yield from [value] if isinstance(value, str) else value
            elif key == "Fn::Sub":
                text, variables = (value, {}) if isinstance(value, str) else value
                yield from (name for name in SUBSTITUTIONS.findall(text) if name not in variables)
                yield from names_in(variables)
            else:
                yield from names_in(value)


def cycle(template):
    """Resources of which each waits for the next one, and the last one for the first; none if there is no cycle."""
    resources = translated(template)["Resources"]
    waits_for = {name: sorted(set(names_in(resource)) & set(resources)) for name, resource in resources.items()}
    done, path = set(), []

    def visit(name):
        if name in path:
            return path[path.index(name):]
        if name not in done:
            path.append(name)
            for other in waits_for[name]:
                if found := visit(other):
                    return found
            done.add(path.pop())
        return None

    print(f"{len(waits_for)} resources, {sum(map(len, waits_for.values()))} references")
    return next((found for name in waits_for if (found := visit(name))), None)


with open("template.yaml", encoding="utf-8") as file:
    template = yaml_parse(file.read())
if found := cycle(template):
    sys.exit("a circular reference: " + " -> ".join([*found, found[0]]))

# The API's body names the webhook function, which therefore can't know the API's address.
planted = copy.deepcopy(template)
environment = planted["Resources"]["WebhookFunction"]["Properties"].setdefault("Environment", {"Variables": {}})
environment["Variables"]["WEBHOOK_URL"] = {"Fn::Sub": "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}"}
found = cycle(planted)
if not found:
    sys.exit("a planted circular reference was not found")
print("no circular reference; the planted one was found:", " -> ".join([*found, found[0]]))
