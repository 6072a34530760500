package status

import (
	"strings"
	"testing"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

// TestReadinessFollowsDelivery checks that a backend is ready while its reports
// reach the schedulers, and not otherwise.
func TestReadinessFollowsDelivery(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	long, short := now.Add(-2*time.Minute), now.Add(-10*time.Second)
	for name, tt := range map[string]struct {
		overlay Overlay
		want    string // part of the reason, "" if it is ready
	}{
		"overlaying":                     {Overlay{State: "overlaying", PublishedAt: short}, ""},
		"complete reports":               {Overlay{State: "standalone", PublishedAt: short}, ""},
		"standby":                        {Overlay{State: "standby"}, ""},
		"suspended":                      {Overlay{State: "suspended", Reason: "different"}, "different"},
		"suspended without a reason":     {Overlay{State: "suspended"}, "suspended"},
		"withdrawn":                      {Overlay{State: "no_sample", Reason: "old sample"}, "old sample"},
		"nothing received yet":           {Overlay{State: "listening", Since: short, Reason: "none yet"}, "none yet"},
		"waits a moment":                 {Overlay{State: "listening", Since: short, PublishedAt: long}, ""},
		"waits for long":                 {Overlay{State: "listening", Since: long, PublishedAt: long, Reason: "none since"}, "none since"},
		"refused a moment ago":           {Overlay{State: "overlaying", PublishedAt: long, Failure: "nack", FailingSince: short}, ""},
		"refused for long":               {Overlay{State: "overlaying", PublishedAt: long, Failure: "nack", FailingSince: long}, "nack"},
		"refused from the start":         {Overlay{State: "overlaying", Failure: "nack", FailingSince: short}, "nack"},
		"companion message not accepted": {Overlay{State: "overlaying", PublishedAt: short, Failure: "notify: no exchange"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			tt.overlay.Interval = time.Minute
			b := Backend{Name: "fa1", Report: &capability.Report{}, Poll: Poll{Up: true, Polls: 1}, Overlay: tt.overlay}
			c := b.ready(now)
			if c.OK != (tt.want == "") || !strings.Contains(c.Reason, tt.want) {
				t.Errorf("ready is %+v, want the reason %q", c, tt.want)
			}
		})
	}
}

func TestReadinessNeedsScheduler(t *testing.T) {
	for name, tt := range map[string]struct {
		bus  Bus
		want string
	}{
		"all well":     {Bus{Connected: true, Exchange: true}, ""},
		"no broker":    {Bus{Reason: "refused"}, "refused"},
		"no scheduler": {Bus{Connected: true}, "no scheduler"},
		"blocked":      {Bus{Connected: true, Exchange: true, Blocked: true}, "blocked publishers"},
	} {
		if c := busCheck(tt.bus); c.OK != (tt.want == "") || !strings.Contains(c.Reason, tt.want) {
			t.Errorf("%s: %+v, want the reason %q", name, c, tt.want)
		}
	}
}
