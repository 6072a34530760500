// Package plan makes plans of migrations that even a logical pool, or that empty an
// array for maintenance. It moves nothing.
//
// The model is VMware's Storage DRS. How full an array is, is the greater of two shares:
// the used share of its capacity, and what is provisioned as a share of what the
// scheduler permits (total without the reserve, times the over-subscription ratio). There
// are three kinds of moves:
//
//   - evacuate (mandatory): the array is to be emptied. There are no other moves then.
//   - relieve (mandatory): the array is fuller than [Options.Full].
//   - even (optional): two arrays differ by more than [Options.Difference], and the move
//     takes away at least [Options.LeastGain] of the difference.
//
// No relieving and no evening move makes a figure of the pool worse: the fullest array does
// not become fuller, and in used and in provisioned space neither the highest share nor the
// spread becomes greater, unless the arrays are even in it, which is: not further apart than
// [Options.Difference]. No array that takes a volume becomes fuller than [Options.Full], and
// an evening move never goes to an array with more load than [Options.Load].
//
// Of the volumes that are possible the one with the greatest gain for its copy is taken
// first: between arrays every migration is a copy of the whole volume by a host, because
// the Pure driver has no migrate_volume (cinder/volume/drivers/pure.py).
//
// A [Judge] says whether Cinder accepts a move; the reports that it gets have the moves
// before. The same pool gives the same plan, and a pool on which the plan was carried out
// gives an empty one.
package plan
