// Package placement answers one question: which of these backends should take
// this request, and why that one, and why not the others.
//
//	reports --> Snapshot ---.
//	                         >--> Engine --> Decision
//	            Request ----'       ^
//	                                |
//	            Registry --> Profile: which filters and weighers, in which order
//
// An [Engine] asks its filters about every backend, in the order of its
// [Profile]; the first that says no is the one the decision names. Those that
// are left it weighs: each [Weigher] gives a number in its own unit, which is
// stretched to 0…1 over the survivors, multiplied, and added up. The greatest
// total is chosen, and of equals the first.
//
// That is the shape of the Cinder scheduler, but this package knows nothing of
// Cinder. What must equal it is in package cinder beside this one, as plug-ins
// like anybody's; what a request is, too, is for the plug-ins to know.
//
// # Three ways to ask
//
// [Engine.Choose] says where to go and nothing else. It allocates nothing per
// backend, and is what to call in a loop. [Engine.Rank] gives all that fit, in
// order. [Engine.Decide] gives a [Decision] with everything: for a backend that
// fits its raw, normalised and weighted scores, its rank and whether it was a
// tie; for one that does not the filter and, in words, what was compared. Words
// are made when they are read, so a decision that nobody reads costs little
// more than one that was never explained.
//
// # A snapshot in, an answer out
//
// No clock, no I/O, no global: the same [Snapshot], request and seed give the
// same answer from any goroutine, today or from a file next year. A snapshot
// never changes. Placing something gives another snapshot, with the room
// deducted ([Snapshot.Charge]), so "what would the next ten volumes do" is a
// loop. What the deductions have to outlive is the business of a [Ledger].
//
// # Writing a plug-in
//
// One method and a line in a [Registry]. Start with a [WeigherFunc] or
// [FilterFunc]; examples/custom-weigher fits on a screen. When a plug-in should
// be faster or say more, it grows by optional interfaces:
//
//   - [Preparer]: think once per request, not once per backend. Fetch a
//     [Column] for each key you read; compile what the request says.
//   - [Explainer]: say what you compared. Without it people see only your name.
//   - [Bounds], [Adjuster]: for weights that need a fixed scale, or a look at
//     the others.
//   - [Relaxer]: some of your conditions are preferences; see [Prefer].
//
// [View] remembers what you computed of a snapshot for the next request, and
// package placementtest holds you to the contract.
//
// # Traps
//
// A capability that is missing is not zero: a filter or weigher has to say what
// it makes of that. An error is not a refusal: it ends the decision, as an
// exception in a filter ends the scheduler's. Normalisation stretches whatever
// difference there is to the full range, so a weigher's smallest difference
// weighs as much as another's largest, unless it has [Bounds].
package placement
