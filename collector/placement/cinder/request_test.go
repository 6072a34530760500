package cinder_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

func TestExtraSpecsKeepTheirOrder(t *testing.T) {
	const text = `{"b":"<= 800","a":null,"c":"x"}`
	var specs cinder.ExtraSpecs
	if err := json.Unmarshal([]byte(`{"b":"1","a":null,"b":"<= 800","c":"x"}`), &specs); err != nil {
		t.Fatal(err)
	}
	if written, err := specs.MarshalJSON(); err != nil || strings.Join(strings.Fields(string(written)), " ") != `{"b" :"<= 800" ,"a" :null ,"c" :"x" }` {
		t.Errorf("%s is written as %s (%v)", text, written, err)
	}
	sorted := cinder.ExtraSpecsOf(map[string]string{"b": "2", "a": "1"})
	if len(sorted) != 2 || sorted[0].Key != "a" || *sorted[1].Value != "2" {
		t.Errorf("specs of a map are %v", sorted)
	}
	for _, invalid := range []string{`[]`, `{"a":1}`, `"x"`} {
		if err := json.Unmarshal([]byte(invalid), &specs); err == nil {
			t.Errorf("%s is read as %v", invalid, specs)
		}
	}
	if err := json.Unmarshal([]byte(`null`), &specs); err != nil || specs != nil {
		t.Errorf("null is read as %v (%v)", specs, err)
	}
}

func TestRequestByValueAndByPointer(t *testing.T) {
	engine, err := cinder.NewEngine(cinder.Options{Weighers: []string{cinder.ChanceWeigher}})
	if err != nil {
		t.Fatal(err)
	}
	reports := []capability.Report{array("fa1", 20000, 1), array("fa2", 20000, 1)}
	request := cinder.Request{Size: 100, RandomSeed: 7}
	byValue, err := engine.Decide(reports, request)
	byPointer, errPointer := engine.Decide(reports, &request)
	if err := errors.Join(err, errPointer); err != nil || byValue.String() != byPointer.String() {
		t.Errorf("by value\n%s\nby pointer\n%s\n%v", byValue, byPointer, err)
	}
	if _, err := engine.Decide(reports, (*cinder.Request)(nil)); err == nil || !strings.Contains(err.Error(), "not a cinder.Request") {
		t.Errorf("got %v", err)
	}
}

// A decision is read back as it was written, with its request.
func TestDecisionJSONHasRequest(t *testing.T) {
	engine, err := cinder.NewEngine(cinder.Options{})
	if err != nil {
		t.Fatal(err)
	}
	request := cinder.Request{Size: 100, Type: &cinder.VolumeType{Name: "gold", ExtraSpecs: cinder.ExtraSpecsOf(map[string]string{"total_volumes": "<= 800"})}}
	d, err := engine.Decide([]capability.Report{array("fa1", 20000, 1)}, request)
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(d)
	read := placement.DecisionJSON{Request: &cinder.Request{}}
	if err := errors.Join(err, json.Unmarshal(data, &read)); err != nil {
		t.Fatal(err)
	}
	got, ok := read.Request.(*cinder.Request)
	if !ok || got.Size != 100 || *got.Type.ExtraSpecs[0].Value != "<= 800" || *read.Chosen != "ctl1@fa1#pure_performance" {
		t.Errorf("read %+v of %s", read, data)
	}
}
