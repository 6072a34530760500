// Package scheduler gives a test a real cinder-scheduler, as Debian packages
// it: with a database of its own, on the broker it is told to use, and with the
// services it should know about. It is the judge of everything that poolcast
// publishes, since nobody else can say what a scheduler believes.
//
//	cinder := scheduler.Start(t, scheduler.Options{
//		Broker:   broker,
//		Backends: []scheduler.Backend{{Host: "ctl1@flasharray_x_01", Zone: "dc1"}},
//	})
//	pools, err := cinder.Pools()
//
// # What a scheduler needs to see a pool
//
// Two things that come from different sides. A row in the table services, which
// cinder-volume writes in real life and Start writes here: a report about a
// backend without one is kept and never shown. And a report, which is the
// test's business: poolcast's own, or one that [Scheduler.Report] sends just as
// cinder-volume would.
//
// # The console
//
// Questions are put to the scheduler by a small Python program that uses
// Cinder's own client classes (cinder/scheduler/rpcapi.py), so that nothing of
// the exchange is of our making. It stays up and answers over HTTP on loopback,
// because loading Cinder takes a second each time.
package scheduler
