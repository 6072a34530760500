package render_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/backends"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/decision"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/openstack"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/render"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/terminaltest"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/why"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/collector/placement/volumeapi"
	"github.com/poolcast/poolcast/publisher/status/client"
)

// explanation is that of a clone for which cinder-api would refuse another one, with
// texts of users that a terminal must not get as they are.
func explanation() *why.Explanation {
	now := time.Date(2026, 11, 25, 21, 0, 0, 0, time.UTC)
	limit := "<= 800"
	return &why.Explanation{
		Facts: &why.Facts{
			Volume:   &openstack.Volume{ID: "c7cb", Name: "db\x1b[31m", Status: "error", Size: 100, Type: "gold", Zone: "dc1", Host: "c@x#gold", CreatedAt: now.Add(-time.Hour), Migration: "starting", Replication: "error"},
			Source:   &openstack.Volume{ID: "a1", Host: "c@x#gold"},
			Service:  &openstack.Service{Host: "c@x", Down: true},
			Messages: []openstack.Message{{Text: "create volume:Driver failed\nto create", CreatedAt: now, Request: "req-1"}},
			Quota:    []openstack.Usage{{Resource: "volumes", Used: 1, Limit: -1, Request: 1}},
			Notes:    []string{"request the services: 403"},
			Type: &openstack.VolumeType{
				VolumeType: cinder.VolumeType{Name: "gold", ExtraSpecs: cinder.ExtraSpecs{{Key: "capabilities:total_volumes", Value: &limit}, {Key: "none"}}},
				QoS:        capability.Set{"maxIOPS": capability.OfString("5000")},
			},
		},
		Answer: &decision.Answer{
			Backends: &backends.Set{Source: backends.Agent, From: "http://127.0.0.1:9748", Reports: []capability.Report{{Host: "c@x"}}},
			Refusal:  &volumeapi.RefusalError{Exception: "InvalidAvailabilityZone", Reason: "there is no zone dc1"},
		},
		Now: now,
	}
}

func TestWhyTable(t *testing.T) {
	var out strings.Builder
	if err := render.Why(&out, "table", explanation()); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsRune(out.String(), '\x1b') {
		t.Errorf("a control character is printed:\n%q", out.String())
	}
	plain := strings.Join(strings.Fields(out.String()), " ")
	for _, want := range []string{
		"The scheduler placed it on c@x#gold, and cinder-volume failed there", "extra specs capabilities:total_volumes='<= 800' none=null",
		"QoS specs maxIOPS=", "the service is down", "made from volume a1 on c@x#gold", "migration starting", "replication error", "1h0m0s ago",
		"Driver failed", "(req-1)", "has no limit", "On reports of 1 backend (agent http://127.0.0.1:9748)",
		"InvalidAvailabilityZone", "Not known: request the services: 403",
	} {
		if !strings.Contains(plain, want) {
			t.Errorf("%q is missing in\n%s", want, out.String())
		}
	}
}

func TestWhyJSON(t *testing.T) {
	var out strings.Builder
	if err := render.Why(&out, "json", explanation()); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Volume   struct{ Host *string }
		Decision client.Answer
		Verdict  string
	}
	if err := json.Unmarshal([]byte(out.String()), &got); err != nil {
		t.Fatal(err)
	}
	if got.Volume.Host == nil || got.Decision.RefusedByAPI == nil || got.Decision.Source.Kind != "agent" || !strings.Contains(got.Verdict, "there is no zone dc1") {
		t.Errorf("got %s", out.String())
	}
}

// TestWhyFitsTheTerminal with a condition that is longer than its column.
func TestWhyFitsTheTerminal(t *testing.T) {
	e := explanation()
	long := "<in> " + strings.Repeat("x", 60)
	e.Type.ExtraSpecs[0].Value = &long
	e.Quota = []openstack.Usage{{Resource: "gigabytes_" + strings.Repeat("t", 60), Used: 1000, Limit: 1000, Request: 100}}
	for _, columns := range []int{80, 120} {
		terminal := terminaltest.Open(t, columns)
		if err := render.Why(terminal.Program, "table", e); err != nil {
			t.Fatal(err)
		}
		lines := terminaltest.Screen(terminal.End())
		for _, line := range lines {
			if utf8.RuneCountInString(line) > columns {
				t.Errorf("wider than %d columns: %s", columns, line)
			}
		}
		text := strings.Join(strings.Fields(strings.Join(lines, "")), "")
		if strings.Count(text, "x") < 60 || !strings.Contains(text, "exceeded") {
			t.Errorf("%d columns: the table lacks a part:\n%s", columns, strings.Join(lines, "\n"))
		}
	}
}
