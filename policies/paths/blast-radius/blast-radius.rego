# METADATA
# title: A change that much depends on is looked at
# description: What hundreds of modules import breaks them all at once; a person should know before, not after.
# scope: package
# custom:
#   code: paths/blast-radius
#   effect: require_approval
#   help: Have somebody look who knows what depends on it (`orch graph --diff BASE..HEAD` lists it), split the change, or raise the limit in `policy.settings`.
#   since: 0.1.0
package orch.paths.blast_radius

radius := input.blast_radius

named := concat(", ", array.slice(radius.nearest, 0, 3))

require_approval contains sprintf(
	"%d modules import what the change touches (as %s), and %d depend on it in all; above %d a person has to approve",
	[radius.direct, named, radius.dependents, input.settings.blast_radius_approve],
) if {
	radius.direct > input.settings.blast_radius_approve
}

warn contains sprintf(
	"%d modules import what the change touches (as %s), and no test that can be told covers it",
	[radius.direct, named],
) if {
	radius.direct > input.settings.blast_radius_warn
	radius.direct <= input.settings.blast_radius_approve
	radius.tests.covering == 0
	radius.tests.changed == 0
}
