package publisher

import (
	"bytes"
	"encoding/json"
	"flag"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/poolcast/poolcast/collector/capability"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// sample is the report that testdata/cinder-*.json were made of.
func sample(t *testing.T) capability.Set {
	t.Helper()
	set, err := capability.ParseSet([]byte(`{"volume_backend_name": "pure_gold",
		"total_capacity_gb": 102400.0, "free_capacity_gb": 51200.125,
		"allocated_capacity_gb": 17, "total_volumes": 42, "usec_per_read_op": 0,
		"cacheable": true, "replication_targets": [], "replication_capability": null,
		"filter_function": "capabilities.total_volumes < 800", "label": "é<\u2028"}`))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func message(t *testing.T, method Method, cluster string) Message {
	t.Helper()
	return Message{
		Method: method, Host: "ctl1@fa1", Cluster: cluster, Capabilities: sample(t),
		Timestamp: time.Date(2026, 11, 22, 17, 44, 53, 120000000, time.FixedZone("CET", 3600)),
		ID:        "0123456789abcdef0000000000000001",
	}
}

func TestEncodeIsGolden(t *testing.T) {
	for name, m := range map[string]Message{
		"update.golden.json":         message(t, UpdateCapabilities, ""),
		"update-cluster.golden.json": message(t, UpdateCapabilities, "east@fa1"),
		"notify.golden.json":         message(t, NotifyCapabilities, "east@fa1"),
	} {
		got, err := Encode(m)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, append(got, '\n'), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, bytes.TrimSpace(want)) {
			t.Errorf("%s: the envelope is\n%s\ninstead of\n%s", name, got, want)
		}
	}
}

// TestEncodeSaysWhatCinderSays compares with what Cinder 29 puts on the wire,
// field by field; integration/cinder_messages.py makes the files.
func TestEncodeSaysWhatCinderSays(t *testing.T) {
	for file, method := range map[string]Method{
		"cinder-update.json": UpdateCapabilities, "cinder-notify.json": NotifyCapabilities,
	} {
		data, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		ours, err := Encode(message(t, method, ""))
		if err != nil {
			t.Fatal(err)
		}
		want, got := innerOf(t, data), innerOf(t, ours)
		for _, m := range []map[string]any{want, got} {
			for _, key := range []string{"_unique_id", "_context_request_id", "_context_timestamp"} {
				if len(m[key].(string)) < 20 {
					t.Errorf("%s: %s is %v", file, key, m[key])
				}
				delete(m, key)
			}
			args := m["args"].(map[string]any)
			if _, err := time.Parse(stampFormat, args["timestamp"].(string)); err != nil || len(args["timestamp"].(string)) != 26 {
				t.Errorf("%s: the timestamp is %v", file, args["timestamp"])
			}
			delete(args, "timestamp")
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: Cinder (-) and poolcast (+) differ:\n%s", file, diff)
		}
	}
}

func innerOf(t *testing.T, body []byte) map[string]any {
	t.Helper()
	var envelope map[string]string
	if err := json.Unmarshal(body, &envelope); err != nil {
		t.Fatal(err)
	}
	if len(envelope) != 2 || envelope["oslo.version"] != "2.0" {
		t.Fatalf("the envelope is %v", envelope)
	}
	var inner map[string]any
	if err := json.Unmarshal([]byte(envelope["oslo.message"]), &inner); err != nil {
		t.Fatal(err)
	}
	return inner
}

func TestEncodeRefusesWhatIsNotJSON(t *testing.T) {
	m := message(t, UpdateCapabilities, "")
	m.Capabilities = capability.Set{"load": capability.OfFloat(math.NaN())}
	if _, err := Encode(m); err == nil || !strings.Contains(err.Error(), "ctl1@fa1") {
		t.Errorf("a NaN was encoded, or the error does not name the backend: %v", err)
	}
}

func TestNewMessageIsTrueNow(t *testing.T) {
	read := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	r := capability.Report{
		Host: "ctl1@fa1", CollectedAt: read, LiveKeys: []string{capability.KeyMetricsAge},
		Capabilities: capability.Set{capability.KeyMetricsAge: capability.OfInt(4)},
	}
	m := NewMessage(r, read.Add(10*time.Second))
	want := capability.Set{capability.KeyMetricsAge: capability.OfInt(14), capability.KeyMetricsAgent: capability.OfString("poolcast")}
	if !m.Capabilities.Equal(want) || !m.Timestamp.Equal(read) || len(m.ID) != 32 {
		t.Errorf("the message is %+v", m)
	}
	if m := NewMessage(r, read.Add(-time.Second)); m.Timestamp.After(read.Add(-time.Second)) {
		t.Error("the timestamp is in the future")
	}
}

func TestIDsDifferAndAreRecognised(t *testing.T) {
	one, two := newInstance(), newInstance()
	var ids []string
	for _, from := range []instance{one, one, two, two} {
		id, _ := from.next()
		ids = append(ids, id)
	}
	if n := len(slices.Compact(slices.Sorted(slices.Values(ids)))); n != 4 {
		t.Errorf("only %d of 4 IDs differ", n)
	}
	if n, own := one.counter(ids[1]); !own || n != 2 {
		t.Errorf("the counter of %s is %d, own %t", ids[1], n, own)
	}
	if _, own := one.counter(ids[2]); own || instanceOf(ids[3]) != two.name || instanceOf("x") != "x" {
		t.Error("an ID is not recognised by its instance")
	}
	if !fromAgent(ids[0]) || fromAgent("9f1c8a0bd0c14f6e8a52b2c1d0e9f8a7") || fromAgent("") {
		t.Error("an agent's ID is not told from one of oslo.messaging")
	}
}
