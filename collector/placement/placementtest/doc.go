// Package placementtest tests filters and weighers against the contract of package
// placement. Call it from a test of your plug-in:
//
//	func TestFastestWrite(t *testing.T) {
//		placementtest.Weigher(t, fastestWrite{}, placementtest.Cloud{
//			Reports:  reports,
//			Snapshot: cinder.NewSnapshot,
//			Requests: []placement.Request{&cinder.Request{Size: 10}},
//		})
//	}
//
// [Fleet] makes reports for benchmarks.
//
// The suites do not check what a plug-in decides, but how: it returns the same
// every time, from every goroutine and in every order of the backends; it changes no
// argument; it returns the same prepared and unprepared; it explains every refusal;
// its weights can be added up. Run them with -race: half of the contract is about
// goroutines.
package placementtest
