package placement_test

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
)

func reported(t *testing.T, at time.Time, texts ...string) []capability.Report {
	t.Helper()
	reports := make([]capability.Report, len(texts))
	for i, text := range texts {
		set, err := capability.ParseSet([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		reports[i] = capability.Report{Host: string(rune('a' + i)), CollectedAt: at, Capabilities: set}
	}
	return reports
}

func TestConsumeReturnsAnotherSnapshot(t *testing.T) {
	s := placement.NewSnapshot(reported(t, time.Time{},
		`{"free_capacity_gb":100.5,"allocated_capacity_gb":7,"total_volumes":5,"live_volumes":4}`,
		`{"free_capacity_gb":"infinite","provisioned_capacity_gb":50}`), placement.SnapshotOptions{})
	after := s.Consume(s.At(0), placement.Consumption{GiB: 10, Volumes: 2}).Consume(s.At(1), placement.Consumption{GiB: 1})
	if got, want := after.At(0).Space(), (placement.Space{Free: 90.5, Allocated: 17, Provisioned: 17}); got != want {
		t.Errorf("space %+v, want %+v", got, want)
	}
	if sp := after.At(1).Space(); !math.IsNaN(sp.Free) || sp.Provisioned != 51 || sp.Allocated != 1 {
		t.Errorf("space %+v", sp)
	}
	if sp := s.At(0).Space(); sp.Free != 100.5 || s.At(0).Consumed() || !after.At(0).Consumed() {
		t.Errorf("the original snapshot has changed: %+v", sp)
	}
	for key, want := range map[string]float64{"total_volumes": 7, "live_volumes": 6, "free_capacity_gb": 100.5} {
		byKey, _ := after.At(0).Float(key)
		v, _ := after.Column(key).Of(after.At(0))
		if byColumn, _ := v.Float(); byKey != want || byColumn != want {
			t.Errorf("%s is %v and %v, want %v", key, byKey, byColumn, want)
		}
	}
	if after.Column("total_volumes") != s.Column("total_volumes") {
		t.Error("columns are not shared")
	}
}

func TestColumnKeepsEqualValuesOnce(t *testing.T) {
	s := placement.NewSnapshot(reported(t, time.Time{},
		`{"k":1}`, `{"k":1.0}`, `{"k":true}`, `{"k":"1"}`, `{"k":null}`, `{}`, `{"k":1}`, `{"k":["x"]}`, `{"k":["x"]}`, `{"k":{"x":1}}`,
		`{"k":123456789012345678901234567890}`, `{"k":123456789012345678901234567891}`), placement.SnapshotOptions{})
	c := s.Column("k")
	for i := range s.Len() {
		b := s.At(i)
		byKey, ok := b.Value("k")
		byColumn, has := c.Of(b)
		if ok != has || !byKey.Equal(byColumn) || byKey.String() != byColumn.String() {
			t.Errorf("%s: %v by key, %v by column", b.ID(), byKey, byColumn)
		}
		if (c.Code(b) == 0) == ok {
			t.Errorf("%s: code %d", b.ID(), c.Code(b))
		}
	}
	if n := len(c.Distinct()); n != 10 {
		t.Errorf("%d distinct values, want 9 and the absent one", n)
	}
}

func TestViewIsComputedOnce(t *testing.T) {
	s := placement.NewSnapshot(reported(t, time.Time{}, `{}`, `{}`), placement.SnapshotOptions{})
	n := 0
	view := placement.NewView(func(s *placement.Snapshot) int { n++; return s.Len() })
	free := placement.NewView(func(s *placement.Snapshot) float64 { return s.At(0).Space().Free })
	if got := free.Of(s.Consume(s.At(0), placement.Consumption{GiB: 1})); got != 0 || free.Of(s) != 0 {
		t.Errorf("a view computed after a placement has %v", got)
	}
	if view.Of(s) != 2 || view.Of(s.Consume(s.At(0), placement.Consumption{GiB: 1})) != 2 || n != 1 {
		t.Errorf("computed %d times", n)
	}
}

func TestLedgerDropsReportedEntries(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	report := `{"free_capacity_gb":100,"total_volumes":5}`
	var l placement.Ledger
	l.Add("a", placement.Consumption{GiB: 10, Volumes: 1}, start.Add(time.Second))
	l.Add("a", placement.Consumption{GiB: 20, Volumes: 1}, start.Add(3*time.Second))
	l.Add("gone", placement.Consumption{GiB: 5}, start)
	free := func(at time.Time) (gib, volumes float64) {
		s := l.Apply(placement.NewSnapshot(reported(t, at, report), placement.SnapshotOptions{}))
		volumes, _ = s.At(0).Float("total_volumes")
		return s.At(0).Space().Free, volumes
	}
	if gib, volumes := free(start); gib != 70 || volumes != 7 {
		t.Errorf("a report from before both leaves %v GiB and %v volumes", gib, volumes)
	}
	if gib, volumes := free(start.Add(2 * time.Second)); gib != 80 || volumes != 6 {
		t.Errorf("a report from between them leaves %v GiB and %v volumes", gib, volumes)
	}
	if gib, _ := free(start.Add(time.Minute)); gib != 100 {
		t.Errorf("a report from after both leaves %v GiB", gib)
	}
	if gib, _ := free(start); gib != 100 {
		t.Errorf("entries that were dropped count again: %v GiB", gib)
	}
	back := placement.NewSnapshot([]capability.Report{{Host: "gone", CollectedAt: start}}, placement.SnapshotOptions{})
	if got := l.Apply(back).At(0).Space().Free; got != -5 {
		t.Errorf("the entry of a backend without a report was dropped: %v GiB", got)
	}
}

func TestDecisionAsJSON(t *testing.T) {
	d, err := engine(t, everything).DecideOn(snapshot(row{"dc1", 10, 100}, row{"dc2", 0, 900}), request{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(d)
	want := `{"request":{},"policy":"strict","chosen":"a","fit":1,"drawn":false,"reason":"a would take it: no other backend fits","relaxed":[],"left_out":[],"backends":[` +
		`{"id":"a","backend":"a","availability_zone":"dc1","rank":1,"tied":false,"weight":0,"chance":null,"scores":[` +
		`{"weigher":"FreeWeigher","raw":100,"normalised":0,"multiplier":2,"weighted":0},` +
		`{"weigher":"LoadWeigher","raw":10,"normalised":0,"multiplier":-1,"weighted":0}],"refused":null},` +
		`{"id":"b","backend":"b","availability_zone":"dc2","rank":null,"tied":false,"weight":null,"chance":null,"scores":[],` +
		`"refused":{"filter":"ZoneFilter","reason":"dc2 is not dc1","all":[{"filter":"ZoneFilter","reason":"dc2 is not dc1","later":false}]}}]}`
	if err != nil || string(got) != want {
		t.Errorf("got  %s\nwant %s (%v)", got, want, err)
	}
	read := placement.DecisionJSON{Request: &request{}}
	if err := json.Unmarshal(got, &read); err != nil {
		t.Fatal(err)
	}
	written := d.JSON()
	written.Request = &request{}
	if !reflect.DeepEqual(read, written) {
		t.Errorf("read   %+v\nwritten %+v", read, written)
	}
	if text := d.String(); text != "a would take it: no other backend fits\n"+
		"  1 a  0\n      FreeWeigher 100 → 0 × 2 = 0\n      LoadWeigher 10 → 0 × -1 = 0\n"+
		"  - b\n      refused by ZoneFilter: dc2 is not dc1\n" {
		t.Errorf("printed\n%s", text)
	}
}
