"""Libraries of constructs: sequences built of parts, with measured activities, as a plugin of zoo."""

from __future__ import annotations

from zoo import hookimpl


@hookimpl
def zoo_register(registry) -> None:
    """What each part of the plugin brings."""
    registry.add("data", "constructs", "zoo_constructs.library.constructs:Constructs")
    registry.add("data", "simulated_constructs", "zoo_constructs.library.simulation:SimulatedConstructs")
    registry.command(
        "construct-context",
        "zoo_constructs.cli.construct_context:command",
        "How much of a library's activity is of the part, of its context, of both",
    )
    registry.add("section", "context", "zoo_constructs.context.report_section:context")
    registry.configs("pkg://zoo_constructs.conf")
