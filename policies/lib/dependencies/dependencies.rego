# METADATA
# title: Names of dependencies
# description: A name with its ecosystem, as `npm:left-pad`, against the globs of a setting.
package orch.lib.dependencies

matches(globs, id) if {
	some pattern in globs
	glob.match(pattern, ["/"], id)
}

vouched(fact) if matches(input.settings.dependencies_allow, fact.attributes.id)
