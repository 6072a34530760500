// Package cindertest has test doubles of the two services of Cinder that use the
// message bus: [Scheduler] receives what a cinder-scheduler receives, [Volume] and
// [Service] send what a cinder-volume sends.
//
//	scheduler := cindertest.StartScheduler(t, broker.URL(), cindertest.Layout{})
//	volume := cindertest.StartVolume(t, broker.URL())
//	volume.Report("ctl1@gold", capabilities)
//	scheduler.AwaitLast(30*time.Second, "the report", map[string]string{"total_volumes": "7"})
//
// They declare the same exchanges and queues as oslo.messaging does, and encode
// and decode messages by themselves: a mistake in the envelope of package
// publisher is not repeated here. A double costs a fraction of a real scheduler
// and, unlike that, keeps every report. What a scheduler makes of the reports is
// decided by the real one, see integration/internal/scheduler.
//
// Only tests import this package; integration/imports_test.go checks it.
package cindertest
