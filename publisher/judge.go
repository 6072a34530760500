package publisher

import "github.com/poolcast/poolcast/collector/capability"

// CinderVolumeReports: overlay = off beside a cinder-volume.
const CinderVolumeReports Cause = "cinder_volume_reports"

// Judge says why an overlay of a base report is suspended, NoCause if it is not.
// It is what a running agent applies to every pair of reports, and may be called
// from any goroutine.
func Judge(reported capability.Set, r capability.Report) (Cause, string) {
	b := backend{base: &base{set: reported}}
	b.offer(r)
	d, _ := b.interlock()
	return d.cause, d.detail
}
