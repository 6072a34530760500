// Package placementtest holds filters and weighers to the contract of package
// placement. Whoever writes a plug-in runs it from a test of their own:
//
//	func TestFastestWrite(t *testing.T) {
//		placementtest.Weigher(t, fastestWrite{}, placementtest.Cloud{
//			Reports:  reports,
//			Snapshot: cinder.NewSnapshot,
//			Requests: []placement.Request{&cinder.Request{Size: 10}},
//		})
//	}
//
// [Fleet] is a cloud to measure on.
//
// The suites know nothing about what a plug-in decides, only how: the same
// answer every time and from every goroutine, whatever the order of the
// backends; nothing changed of what it was handed; prepared or not makes no
// difference; words for every refusal; weights that can be added up. Run them
// with -race: half of the contract is about goroutines.
package placementtest
