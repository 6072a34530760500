package config

import (
	"strings"
	"testing"
	"time"
)

// FuzzClassLimits: what is accepted has room for a margin of five points on both sides of
// each limit.
func FuzzClassLimits(f *testing.F) {
	for _, text := range []string{"30,70", "5,95", " 30 , 70 ", "70,30", "1_0,9_0", "30", "", ",", "-1,101", "30,70,", "a,b"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l, err := parseClassLimits(text)
		if err == nil && (l.Low-5 < 0 || l.High+5 > 100 || l.Low+5 > l.High-5) {
			t.Errorf("%q is accepted: %+v", text, l)
		}
	})
}

// TestLoadHistory: a backend has its own limits or those of [poolcast].
func TestLoadHistory(t *testing.T) {
	folder := write(t, map[string]string{"cinder.conf": strings.Replace(minimal, "pure_api_token", "load_class_limits = 10,50\npure_api_token", 1) +
		"[poolcast]\nload_history = true\nload_class_limits = 40, 60\npoll_interval = 5m\n"})
	cfg := mustLoad(t, folder+"/cinder.conf")
	if a := cfg.Agent; !a.LoadHistory || a.LoadClassLimits != (ClassLimits{40, 60}) || a.PollInterval != 5*time.Minute {
		t.Errorf("[poolcast] is %+v", a)
	}
	if got := cfg.Backends[0].LoadClassLimits; got != (ClassLimits{10, 50}) {
		t.Errorf("the backend has %v", got)
	}
	cfg = mustLoad(t, write(t, map[string]string{"cinder.conf": minimal})+"/cinder.conf")
	if cfg.Agent.LoadHistory || cfg.Backends[0].LoadClassLimits != (ClassLimits{30, 70}) {
		t.Errorf("by default %+v, %+v", cfg.Agent, cfg.Backends[0].LoadClassLimits)
	}
}
