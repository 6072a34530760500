package function

import (
	"fmt"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/collector/capability"
)

func TestReviewFindsTraps(t *testing.T) {
	vars := Vars{ScopeCapabilities: {
		"load_percent": capability.OfInt(26), "avg_latency_ms": capability.OfFloat(0.35),
		"total_capacity_gb": capability.OfFloat(189849.6), "replication_type": capability.OfStrings("async"),
		"queue_depth": {}, "tier": capability.OfString("gold"), "ratio": capability.OfFloat(4),
	}}
	for _, c := range []struct{ text, want string }{
		{"capabilities.load_percent < 80", ""},
		{"capabilities.total_capacity_gb > 100 and capabilities.ratio == 4", ""},
		{"capabilities.avg_latency_ms < 1", "3 1 capabilities.avg_latency_ms 0"},
		{"capabilities.load_percnt < 80", "1 1 capabilities.load_percnt "},
		{"1 + capabilities.queue_depth", "2 5 capabilities.queue_depth "},
		{"capabilities.replication_type == \"async\"", "2 1 capabilities.replication_type "},
		{"load_percent < 80", "4 1 load_percent "},
		{"capability.load_percent < 80", "0 1 capability.load_percent "},
		{"volume.size < 100 and extra.tier == \"gold\"", ""},
		{"capabilities.tier == gold", "4 22 gold "},
		{"capabilities.x + capabilities.x + capabilities.y", "1 1 capabilities.x , 1 35 capabilities.y "},
		{"min(capabilities.avg_latency_ms, -capabilities.x) > 1 ? 2 : abs(y)", "3 5 capabilities.avg_latency_ms 0, 1 35 capabilities.x , 4 65 y "},
		{"5 > volume.size and volume.size > 1", "6 17 and "},
		{"sqrt(volume.size)", "5 1 sqrt "},
		{"notable.size > 5", "7 1 notable.size , 0 4 able.size "},
		{"not volume.size", ""},
		{"(1 < 2) and (2 < 3) and (3 < 4)", "8 21 and "},
		{"1 ? 2 : 3 ? 4 : 5", "8 11 ? "},
	} {
		e, err := Compile(c.text)
		if err != nil {
			t.Fatalf("%s: %v", c.text, err)
		}
		var got []string
		for _, trap := range e.Review(vars) {
			got = append(got, fmt.Sprint(trap.Kind, trap.Column, trap.Word+" "+trap.Read))
		}
		if text := strings.Join(got, ", "); strings.ReplaceAll(text, " ", "") != strings.ReplaceAll(c.want, " ", "") {
			t.Errorf("%s: got %q, want %q", c.text, text, c.want)
		}
	}
}
