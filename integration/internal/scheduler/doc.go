// Package scheduler gives a test a real cinder-scheduler, as Debian packages it: with
// a database of its own, on a broker of the test, and with the services that the test
// names. Tests check with it what a scheduler holds of the reports that poolcast
// publishes.
//
//	cinder := scheduler.Start(t, scheduler.Options{
//		Broker:   broker,
//		Backends: []scheduler.Backend{{Host: "ctl1@flasharray_x_01", Zone: "dc1"}},
//	})
//	pools, err := cinder.Pools()
//
// # What a scheduler needs to see a pool
//
// A row in the table services, which cinder-volume writes in a cloud and Start writes
// here: a report of a backend without one is kept and never shown. And a report:
// poolcast's own, or one that [Scheduler.Report] sends as cinder-volume does.
//
// # The console
//
// A small Python program, console.py, calls the scheduler with Cinder's own client
// classes (cinder/scheduler/rpcapi.py), so that the messages are Cinder's. It serves
// HTTP on loopback and keeps running, because loading Cinder takes a second.
package scheduler
