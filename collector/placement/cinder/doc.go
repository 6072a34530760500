// Package cinder decides as the Cinder scheduler does: its filters, its
// weighers, its extra-spec operators and its expression language, equal in
// result to the newest release of openstack/cinder and explained in words.
//
// An engine with the defaults takes three lines:
//
//	engine, err := cinder.NewEngine(cinder.Options{})
//	snapshot := cinder.NewSnapshot(reports)
//	decision, err := engine.Decide(snapshot, &cinder.Request{Size: 100})
//
// [Options] are the scheduler's settings in cinder.conf, so that the answer is
// what this cloud's scheduler would say. To add a plug-in, take the [Registry]
// and the [Profile] and hand them to placement.New yourself.
//
// # What "equal" means
//
// Given the same reports and request, the same backends survive each filter,
// with the same weights in the same order; where Cinder raises an exception
// there is an error. It is held to that by vectors that Cinder's own classes
// answered (TestCinderVectors). Equal includes what nobody would invent:
//
//   - A protocol is known by all its spellings, so "iscsi" in an extra spec
//     matches a backend that reports iSCSI.
//   - CapacityFilter divides by a total that holds the over-subscription ratio
//     already and compares the result with the ratio once more, so that it is
//     the virtual free space that decides.
//   - Without provisioned_capacity_gb, allocated_capacity_gb stands in for it.
//   - What the filters read of capacity shrinks with each volume placed;
//     capabilities.free_capacity_gb in a function does not, while
//     stats.free_capacity_gb does.
//   - An automatic ratio is computed from the report, not from what was placed.
//   - A goodness function that fails counts as 0; one that gives text fails the
//     whole request. A filter function that fails refuses the backend.
//   - Integers and floats print differently, and plain extra specs compare text.
//
// # What is deliberately different
//
// VolumeNumberWeigher goes by total_volumes, because Cinder's own count is in
// its database. DifferentBackendFilter and SameBackendFilter are told the
// backends that Cinder would look up. ChanceWeigher and the lottery draw from
// the request's seed. Attributes that are Python objects, such as the time of a
// pool's last update, are null to a JsonFilter query. Only reports of one pool
// per backend are understood, which is what the Pure driver sends; a list under
// "pools" is a capability like any other.
//
// In functions, what is beyond any sensible use is an error: more than 64 KiB of
// text, an integer of more than 65,536 bits, a root of a negative number (Python
// has a complex one), a text or list of more than 65,536 members. Where Cinder
// runs out of Python's stack, at some 17 parentheses within one another, there
// is an error too. The parser is that of pyparsing up to 3.3.2: since 3.3.3,
// Cinder's evaluator takes every name for a function and can read no variable.
// A goodness of NaN, by which Cinder sorts into any order, is not imitated.
//
// # The fallback that Cinder does not have
//
// The same-name pool is often described as if live thresholds were wishes: keep
// new volumes away from the busy array, and if all are busy, take the least
// busy. Cinder's CapabilitiesFilter knows no wishes; one busy minute everywhere
// is "No valid backend was found". The policy placement.Prefer does what the
// description says: conditions on [LiveKeys], in extra specs and in filter
// functions, are set aside when nothing meets them, the weighers decide, and
// the decision lists what was set aside. It is never the default, since this
// cloud's scheduler does not do it.
package cinder
