# What there is to do: the configuration is checked here, the study by snncompare itself, before any job starts.
import json
import re
import shlex
import subprocess

import jsonschema
import yaml
from snakemake.exceptions import WorkflowError

RESULT_FILES = ["result/result.json", "result/table.csv", "result/differences.csv", "dissimilarities.csv", "config.yaml"]


def check_config(schema):
    """Refuse a configuration of the workflow that does not fit its schema, in one line."""
    with open(schema, encoding="utf-8") as file:
        faults = jsonschema.Draft202012Validator(yaml.safe_load(file)).iter_errors(config)
    fault = jsonschema.exceptions.best_match(faults)
    if fault is not None:
        place = ".".join(["configuration", *map(str, fault.absolute_path)])
        raise WorkflowError(f"{place}: {fault.message}")


def plan_of(command, study):
    """Return the steps of a study; the package checks it and names them."""
    try:
        asked = subprocess.run([command, "plan", study], capture_output=True, text=True)
    except OSError as problem:
        raise WorkflowError(f"configuration.snncompare: cannot start '{command}': {problem.strerror}")
    if asked.returncode:
        raise WorkflowError(asked.stderr.strip())
    return json.loads(asked.stdout)


check_config(workflow.source_path("../config.schema.yaml"))
PLAN = plan_of(config["snncompare"], config["study"])
OUT = config["out"]
SNNCOMPARE = shlex.quote(config["snncompare"])


def names(step):
    """Return a pattern of the names that a wildcard may have."""
    return "|".join(map(re.escape, PLAN[step])) or "none"
