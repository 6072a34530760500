// Package placement decides which of several backends takes a request, and
// explains the decision: why this backend, and why not the others.
//
//	reports --> Snapshot ---.
//	                         >--> Engine --> Decision
//	            Request ----'       ^
//	                                |
//	            Profile and plug-ins: filters and weighers in their order
//
// An [Engine] applies its filters to every backend, in the order of its
// [Profile]. The first filter that refuses a backend is the one that the decision
// names; what later ones have against the backend is listed too. The backends that
// pass are weighed: each [Weigher] returns a number in its own unit, which is
// normalised to 0…1 over the backends that passed, multiplied, and added up. The
// backend with the greatest total is chosen, and of equals the first.
//
// This is the algorithm of the Cinder scheduler, and the package is shaped by it:
// the way weights are normalised, the capacities that a placed volume changes, and
// the lottery are Cinder's. Cinder's own filters and weighers, its request and its
// way to read reports are in package cinder. Most programs need five types, and
// begin there:
//
//   - capability.Report: what a backend reports.
//   - cinder.Request: the volume to place.
//   - [Engine]: made by cinder.NewEngine, from the scheduler's settings.
//   - [Filter] and [Weigher]: your own plug-ins, given to the engine by
//     [WithFilter] and [WithWeigher]. They see a [Backend].
//   - [Decision]: the result. It prints as text, and [Decision.JSON] is its form
//     for other programs.
//
// # More than one decision
//
// A [Snapshot] holds reports that were read once, for many decisions. It never
// changes: [Snapshot.Consume] returns another one, from which the room for a volume
// is deducted. On a snapshot, [Engine.Choose] only finds the backend and allocates
// nothing per backend, [Engine.Rank] returns all that fit in order, and
// [Engine.DecideOn] explains. Explanations are made when they are read, so a
// decision of which nothing is printed costs little more than a choice.
//
// The result depends on nothing but the snapshot, the request and its seed: there
// is no clock, no I/O and no global state. A [Ledger] keeps deductions beyond the
// next report.
//
// # Writing a plug-in
//
// A plug-in has one method; [WeigherFunc] and [FilterFunc] make one of a function.
// examples/custom-weigher is a complete program. To be faster, or to explain more,
// a plug-in has these as well:
//
//   - [PerRequestFilter] and [PerRequestWeigher] prepare a plug-in once per
//     request instead of once per backend: read a [Column] of each key, compile
//     what the request has.
//   - [Explainer] states what was compared. Without it a decision has the
//     plug-in's name alone. [AllExplainer] states each of several conditions.
//   - [Bounds] and [Adjuster] are for weights with a fixed scale, and for weights
//     that depend on those of the other backends; [Random] for those that are drawn.
//   - [Relaxer] is for filters some of whose conditions are preferences; see
//     [Prefer].
//   - A [View] keeps what was computed from a snapshot for the next request.
//
// Explainer, AllExplainer, Bounds, Adjuster, Random and Relaxer are optional
// interfaces, which Go does not check: write "var _ placement.Explainer = myWeigher{}"
// beside the type. Package placementtest tests a plug-in against the contract.
//
// # Rules
//
// A capability that is missing is not zero: a plug-in decides what it means. An
// error is not a refusal: it ends the decision, as an exception in a filter ends
// the scheduler's. Normalisation stretches any difference to the full range, so
// the smallest difference of one weigher counts as much as the largest of another,
// unless it has [Bounds].
package placement
