// Package cinder decides as the Cinder scheduler does: its filters, weighers and
// extra-spec operators have the results of the newest release of openstack/cinder,
// with explanations.
//
//	engine, err := cinder.NewEngine(cinder.Options{})
//	decision, err := engine.Decide(reports, cinder.Request{Size: 100})
//
// [Options] are the scheduler's settings in cinder.conf, so that the decision is the
// one of this cloud's scheduler. Your own plug-ins are further arguments, and are
// used if the options name them:
//
//	engine, err := cinder.NewEngine(
//		cinder.Options{Weighers: []string{"FastestWrite"}},
//		placement.WithWeigher("FastestWrite", fastest))
//
// # What "equal" means
//
// Given the same reports and request, the same backends pass each filter, with the
// same weights in the same order; where Cinder raises an exception there is an error.
// TestCinderVectors checks that with results of Cinder's own classes. Equal includes
// these details:
//
//   - A protocol has all its spellings, so "iscsi" in an extra spec
//     matches a backend that reports iSCSI.
//   - CapacityFilter divides by a total that includes the over-subscription ratio
//     already and compares the result with the ratio again, so that the virtual
//     free space decides.
//   - Without provisioned_capacity_gb, allocated_capacity_gb is used.
//   - Each volume placed reduces the capacity that filters read, and
//     stats.free_capacity_gb in a function, but not
//     capabilities.free_capacity_gb.
//   - An automatic ratio is computed from the report, not from what was placed.
//   - A goodness function that fails counts as 0; one that returns text fails the
//     whole request. A filter function that fails refuses the backend.
//   - Integers and floats print differently, and plain extra specs compare text.
//
// # What is deliberately different
//
// VolumeNumberWeigher uses total_volumes, because Cinder's own number is in its
// database. DifferentBackendFilter and SameBackendFilter read the backends, and
// InstanceLocalityFilter the host, which Cinder looks up, from the request. ChanceWeigher and the lottery draw from the
// request's seed; the decision says that it was drawn, and with which chances. Attributes that are Python objects, such as the time of a
// pool's last update, are null to a JsonFilter query. Only reports of one pool
// per backend are read, which is what the Pure driver sends; a list under
// "pools" is a capability like any other.
//
// In functions there are limits, beyond which there is an error: more than 64 KiB of
// text, an integer of more than 65,536 bits, a root of a negative number (Python
// has a complex one), a text or list of more than 65,536 members. Where Cinder
// exceeds Python's stack, at about 17 nested parentheses, there is an error too. The parser is that of pyparsing up to 3.3.2: since 3.3.3,
// Cinder's evaluator reads every name as a function and no variable.
// A goodness of NaN, which Cinder sorts into any order, is not reproduced.
//
// # The fallback that Cinder does not have
//
// Live thresholds are often meant as preferences: no new volume on a busy array, and
// if all are busy, the least busy one. Cinder's CapabilitiesFilter has no
// preferences; if all arrays are busy at the same time, the result is "No valid
// backend was found". With the policy placement.Prefer, conditions on [LiveKeys], in
// extra specs and in filter functions, are relaxed when no backend meets them: the
// weighers decide, and the decision lists the conditions. It is never the default,
// since the scheduler does not do it.
package cinder
