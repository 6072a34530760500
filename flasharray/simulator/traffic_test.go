package simulator_test

import (
	"math"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/flasharray/simulator"
)

func TestInterfacesCarryTheLoad(t *testing.T) {
	for _, isWritable := range []bool{false, true} {
		l := newEnvironment(t, "flasharray-x-01", simulator.Options{Writable: isWritable})
		l.array.SetFrame(0)
		p, load := l.get("network-interfaces/performance"), l.load()
		var received, transmitted float64
		for _, o := range p.Items {
			kind := o["interface_type"].(string)
			counters := o[kind].(map[string]any)
			received += num(counters, "received_bytes_per_sec")
			transmitted += num(counters, "transmitted_bytes_per_sec")
			if strings.HasSuffix(o["name"].(string), "eth0") && num(counters, "received_bytes_per_sec") != 0 {
				t.Errorf("%v, for management, carries data", o["name"])
			}
			if num(counters, "total_errors_per_sec") != 0 {
				t.Errorf("%v has errors", o["name"])
			}
		}
		if received != num(load, "write_bytes_per_sec") || transmitted != num(load, "read_bytes_per_sec") {
			t.Errorf("the interfaces carry %.0f and %.0f bytes/s, the array %v and %v",
				received, transmitted, load["write_bytes_per_sec"], load["read_bytes_per_sec"])
		}
		eth := num(p.Total[0]["eth"].(map[string]any), "received_bytes_per_sec")
		if fc := num(p.Total[0]["fc"].(map[string]any), "received_bytes_per_sec"); eth+fc != received {
			t.Errorf("the total is %.0f and %.0f bytes/s, want %.0f", eth, fc, received)
		}
	}
}

func TestBalanceOfHosts(t *testing.T) {
	l := newEnvironment(t, "flasharray-x-02", simulator.Options{})
	l.array.SetFrame(0)
	host := l.get("hosts?limit=1").Items[0]["name"].(string)
	sample := l.get("hosts/performance?names=" + host).Items[0]
	paths := l.get("hosts/performance/balance?names=" + host).Items
	operations := 0.0
	for _, p := range paths {
		operations += num(p, "op_count")
		if num(p, "fraction_relative_to_max") > 1 || p["name"] != host {
			t.Errorf("%v", p)
		}
	}
	if want := 30 * (num(sample, "reads_per_sec") + num(sample, "writes_per_sec")); operations != want || len(paths) != 4 {
		t.Errorf("%d paths have %.0f operations, want 4 with %.0f", len(paths), operations, want)
	}
}

func TestReplicationOfPods(t *testing.T) {
	l := newEnvironment(t, "flasharray-r-01", simulator.Options{})
	l.array.SetFrame(0)
	p := l.get("pods/performance/replication")
	want := num(l.load(), "mirrored_write_bytes_per_sec")
	if got := num(p.Items[0], "total_bytes_per_sec"); got != want || num(p.Total[0], "total_bytes_per_sec") != want {
		t.Errorf("the pod replicates %v of %v bytes/s", got, want)
	}
	if got := num(p.Items[0]["sync_bytes_per_sec"].(map[string]any), "to_remote_bytes_per_sec"); got != want {
		t.Errorf("%v bytes/s are sent", got)
	}
}

// TestUnrecordedLists reads the lists that the fixtures do not have.
func TestUnrecordedLists(t *testing.T) {
	l := newEnvironment(t, "flasharray-x-01", simulator.Options{})
	capacity := 0.0
	for _, d := range l.get("drives").Items {
		capacity += num(d, "capacity")
	}
	if want := num(l.get("arrays").Items[0], "capacity"); math.Abs(capacity-want) > 0 {
		t.Errorf("the drives have %.0f bytes, the array %.0f", capacity, want)
	}
	if n := len(l.get("hardware?filter=type='controller'").Items); n != 2 {
		t.Errorf("%d controllers", n)
	}
	connected := 0.0
	for _, h := range l.all("hosts") {
		connected += num(h, "connection_count")
	}
	if n := float64(*l.get("connections?limit=0").Count); n == 0 || n > connected {
		t.Errorf("%.0f connections, the hosts count %.0f", n, connected)
	}
	for _, path := range []string{"directories", "directories/performance", "volume-groups", "pod-replica-links/lag", "file-systems"} {
		if n := *l.get(path + "?limit=0").Count; n != 0 {
			t.Errorf("%d %s", n, path)
		}
	}
	if got := l.get("support").Items[0]["remote_assist_status"]; got != "disconnected" {
		t.Errorf("remote assist is %v", got)
	}
}
