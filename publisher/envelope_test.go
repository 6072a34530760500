package publisher

import (
	"bytes"
	"encoding/json"
	"errors"
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

func testMessage(t *testing.T, method rpcMethod, cluster string) message {
	t.Helper()
	return message{
		method: method, host: "ctl1@fa1", cluster: cluster, set: sample(t),
		stamp: time.Date(2026, 11, 22, 17, 44, 53, 120000000, time.FixedZone("CET", 3600)),
		id:    "0123456789abcdef0000000000000001",
	}
}

func TestEncodeIsGolden(t *testing.T) {
	for name, m := range map[string]message{
		"update.golden.json":         testMessage(t, updateCapabilities, ""),
		"update-cluster.golden.json": testMessage(t, updateCapabilities, "east@fa1"),
		"notify.golden.json":         testMessage(t, notifyCapabilities, "east@fa1"),
	} {
		got, err := encode(m)
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

// TestEncodeMatchesCinder compares with what Cinder 29 puts on the wire,
// field by field; integration/cinder_messages.py makes the files.
func TestEncodeMatchesCinder(t *testing.T) {
	for file, method := range map[string]rpcMethod{
		"cinder-update.json": updateCapabilities, "cinder-notify.json": notifyCapabilities,
	} {
		data, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		ours, err := encode(testMessage(t, method, ""))
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

func TestEncodeRefusesNaN(t *testing.T) {
	m := testMessage(t, updateCapabilities, "")
	m.set = capability.Set{"load": capability.OfFloat(math.NaN())}
	if _, err := encode(m); err == nil || !strings.Contains(err.Error(), "ctl1@fa1") {
		t.Errorf("a NaN was encoded, or the error does not name the backend: %v", err)
	}
}

func TestNewMessageIsAged(t *testing.T) {
	read := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	r := capability.Report{
		Host: "ctl1@fa1", CollectedAt: read, LiveKeys: []string{capability.KeyMetricsAge},
		Capabilities: capability.Set{capability.KeyMetricsAge: capability.OfInt(4)},
	}
	m := newMessage(r, read.Add(10*time.Second))
	want := capability.Set{capability.KeyMetricsAge: capability.OfInt(14), capability.KeyMetricsAgent: capability.OfString("poolcast")}
	if !m.set.Equal(want) || !m.stamp.Equal(read) || len(m.id) != 32 {
		t.Errorf("the message is %+v", m)
	}
	if m := newMessage(r, read.Add(-time.Second)); m.stamp.After(read.Add(-time.Second)) {
		t.Error("the timestamp is in the future")
	}
}

func TestMessageIDs(t *testing.T) {
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
		t.Error("an agent's ID is not different from one of oslo.messaging")
	}
}

func TestDecodeCinderMessages(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "cinder-update.json"))
	if err != nil {
		t.Fatal(err)
	}
	h, err := decode(data)
	if err != nil {
		t.Fatal(err)
	}
	set, err := h.capabilities()
	if err != nil || !set.Equal(sample(t)) {
		t.Errorf("parsed %v (%v)", set, err)
	}
	if h.identity() != "ctl1@fa1" || h.stamp.IsZero() || h.fromAgent() || len(h.id) != 32 {
		t.Errorf("decoded %+v", h)
	}
	if free, _ := set[capability.KeyFreeCapacity].MarshalJSON(); string(free) != "51200.125" {
		t.Errorf("digits changed to %s", free)
	}
}

func TestDecodePythonNumbers(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "cinder-infinity.json"))
	if err != nil {
		t.Fatal(err)
	}
	h, err := decode(data)
	if err != nil || h.identity() != "ctl1@fa1" {
		t.Fatalf("the sender is unknown: %+v, %v", h, err)
	}
	if _, err := h.capabilities(); !errors.Is(err, errBareNumber) {
		t.Errorf("a report with a bare Infinity was parsed: %v", err)
	}
}

func TestDecode(t *testing.T) {
	call := func(args string) string {
		return `{"method":"update_service_capabilities","_unique_id":"u","args":` + args + `}`
	}
	for name, tt := range map[string]struct {
		body string
		want string // identity, or part of the error
	}{
		"host":              {envelope(call(`{"service_name":"volume","host":"h@b","capabilities":{}}`)), "h@b"},
		"cluster wins":      {envelope(call(`{"service_name":"volume","host":"h@b","cluster_name":"c@b","capabilities":{}}`)), "c@b"},
		"no envelope":       {call(`{"service_name":"volume","host":"h@b","capabilities":{}}`), "h@b"},
		"later envelope":    {strings.Replace(envelope(call(`{"service_name":"volume","host":"h@b"}`)), "2.0", "2.7", 1), "h@b"},
		"another version":   {strings.Replace(envelope(`{}`), "2.0", "3.0", 1), "version"},
		"another method":    {envelope(`{"method":"create_volume","args":{}}`), "not a capability report"},
		"a backup service":  {envelope(call(`{"service_name":"backup","host":"h@b"}`)), "not a capability report"},
		"no host":           {envelope(call(`{"service_name":"volume"}`)), "not a capability report"},
		"not JSON":          {`{`, "read received envelope"},
		"not JSON inside":   {envelope(`{"method":`), "read received message"},
		"wrong types":       {envelope(call(`{"service_name":7}`)), "read received message"},
		"far too large":     {envelope(strings.Repeat(" ", maxBody)), "more than a report has"},
		"NaN in a string":   {envelope(call(`{"service_name":"volume","host":"NaN@\"b","capabilities":{"a":NaN}}`)), `NaN@"b`},
		"minus Infinity":    {envelope(call(`{"service_name":"volume","host":"h@b","capabilities":{"a":[-Infinity,1]}}`)), "h@b"},
		"Infinity, no JSON": {envelope(call(`{"service_name":Infinity,,}`)), "read received message"},
	} {
		t.Run(name, func(t *testing.T) {
			h, err := decode([]byte(tt.body))
			got := h.identity()
			if err != nil {
				got = err.Error()
			}
			if !strings.Contains(got, tt.want) {
				t.Errorf("decoded %q, want %q", got, tt.want)
			}
		})
	}
}

func TestDecodeTimestamps(t *testing.T) {
	for in, want := range map[string]string{
		`"2026-01-02T03:04:05.000006"`:  "2026-01-02T03:04:05.000006Z",
		`"2026-01-02T03:04:05"`:         "2026-01-02T03:04:05Z",
		`"2026-01-02T03:04:05.0000069"`: "2026-01-02T03:04:05.000006Z",
		`null`:                          "fault",
		`""`:                            "fault",
		`"yesterday"`:                   "fault",
		`"9999-12-31T23:59:59.999999"`:  "fault", // an overlay would be in the year 10000
	} {
		h, err := decode([]byte(envelope(`{"method":"update_service_capabilities","args":{"service_name":"volume","host":"h","timestamp":` + in + `,"capabilities":{}}}`)))
		if err != nil {
			t.Fatal(err)
		}
		got := h.stamp.Format(time.RFC3339Nano)
		if h.fault != nil {
			got = "fault"
		}
		if got != want {
			t.Errorf("%s was read as %s, want %s", in, got, want)
		}
	}
}

func envelope(inner string) string {
	text, _ := json.Marshal(inner)
	return `{"oslo.version":"2.0","oslo.message":` + string(text) + `}`
}

// FuzzDecode checks that nothing from the bus can break the listener, and that
// what was parsed can be sent again.
func FuzzDecode(f *testing.F) {
	for _, file := range []string{"cinder-update.json", "cinder-infinity.json", "update-cluster.golden.json"} {
		data, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(envelope(`{"method":"update_service_capabilities","args":{"service_name":"volume","host":"h@b","capabilities":{"a":NaN,"b":"\u00e9\\\"NaN"}}}`)))
	f.Fuzz(func(t *testing.T, body []byte) {
		h, err := decode(body)
		if err != nil {
			return
		}
		set, err := h.capabilities()
		if err != nil {
			return
		}
		again, err := encode(message{method: updateCapabilities, host: h.host, cluster: h.cluster, set: set, stamp: h.stamp, id: h.id})
		if err != nil {
			t.Fatalf("what was parsed of %q cannot be sent: %v", body, err)
		}
		if len(again) > maxBody {
			return
		}
		back, err := decode(again)
		if err != nil {
			t.Fatalf("what was sent cannot be read: %v", err)
		}
		if got, err := back.capabilities(); err != nil || !got.Equal(set) {
			t.Fatalf("%v came back as %v (%v)", set, got, err)
		}
	})
}
