"""What the stack takes from each pipeline.toml of the pipelines that share a state machine."""

from __future__ import annotations

from pathlib import Path

from orchestration import pipelines


def list_datasets(folder: Path) -> tuple[str, ...]:
    """List the datasets of the pipelines that share a state machine: those whose months lie in the buckets."""
    return tuple(one.dataset for one in pipelines.all_pipelines(folder) if one.shares_its_machine)


def write_part(folder: Path) -> str:
    """Write a part of the template: for each shared folder a list parameter, a mapping, and schedules' parameters.

    Of pipelines/trips these are the parameter Trips, with the logical names that its loops go over, the mapping Trips,
    and a parameter `…Schedule` of each.
    """
    shared: dict[str, list[pipelines.Pipeline]] = {}
    for one in pipelines.all_pipelines(folder):
        if one.shares_its_machine:
            shared.setdefault(pipelines.camel(one.definition.parent.name), []).append(one)
    parameters, mappings = [], []
    for name, members in shared.items():
        every = ",".join(pipelines.camel(one.name) for one in members)
        parameters.append(f'  {name}: {{Type: CommaDelimitedList, Default: "{every}"}}')
        datasets = ",".join(f"{one.name}={one.dataset}" for one in members)
        mappings += [f"  {name}:", f'    All: {{Pipelines: "{datasets}"}}']
        for one in members:
            row = f"{{Pipeline: {one.name}, Dataset: {one.dataset}, Folder: {one.folder.name}}}"
            mappings.append(f"    {pipelines.camel(one.name)}: {row}")
            parameters += [
                f"  {pipelines.camel(one.name)}Schedule:",
                "    Type: String",
                "    Description: Whether its schedule fires, and the hourly check if it is overdue or hangs.",
                "    Default: DISABLED",
                "    AllowedValues: [ENABLED, DISABLED]",
            ]
    return "\n".join(["Parameters:", *parameters, "", "Mappings:", *mappings, ""]) if shared else ""
