// Package outcome measures what a pool of arrays gets from poolcast: the same stream of
// creates and deletes goes to Cinder alone and to Cinder with poolcast, with the same
// arrays, and the states of the pools are compared.
//
// A [Scenario] has the arrays, what happens to them, and how many volumes are created
// when. [Scenario.Stream] draws the volumes from a seed: volume number k has the same
// size, lifetime and workload in every arm. A [Run] is what happened in one arm, sample
// by sample, and [Measure] makes the figures of the table of it.
//
// The arrays are simulated (flasharray/simulator). Their load and space follow from
// their volumes by the model in workload.go there, which claims no more than it says.
package outcome
