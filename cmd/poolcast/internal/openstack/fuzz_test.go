package openstack

import (
	"encoding/json"
	"testing"
	"time"
)

// FuzzResponses decodes any body as a volume and as its quota: nothing panics, and what
// is kept is in range.
func FuzzResponses(f *testing.F) {
	f.Add([]byte(`{"id": "v", "size": 1, "created_at": "2026-11-25T20:51:17.000000", "os-vol-host-attr:host": "c@x#p"}`))
	f.Add([]byte(`{"id": null, "created_at": "2026-13-45T99:00:00Z", "volume_type": null}`))
	f.Add([]byte(`{"volumes": {"limit": -1, "in_use": 9223372036854775807, "reserved": 1}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var raw rawVolume
		if json.Unmarshal(body, &raw) == nil {
			if v := raw.volume(); v.CreatedAt.After(time.Date(9999, 12, 31, 23, 59, 59, 1e9-1, time.UTC).Add(24 * time.Hour)) {
				t.Errorf("created at %s", v.CreatedAt)
			}
		}
		var set map[string]json.RawMessage
		if json.Unmarshal(body, &set) != nil {
			return
		}
		for _, u := range usages(set, &Volume{Size: 1}) {
			if u.Limit < 0 && u.Exceeded() {
				t.Errorf("%s has no limit and is exceeded", u.Resource)
			}
		}
	})
}
