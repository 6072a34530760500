package cinder

import (
	"testing"

	"github.com/poolcast/poolcast/collector/capability"
)

func TestArithmeticOf(t *testing.T) {
	set := capability.Set{
		capability.KeyTotalCapacity: capability.OfFloat(1000), capability.KeyFreeCapacity: capability.OfFloat(400),
		capability.KeyReservedPercentage: capability.OfInt(10), capability.KeyMaxOverSubscription: capability.OfFloat(2),
		capability.KeyProvisionedCapacity: capability.OfFloat(500), capability.KeyThinProvisioning: capability.OfBool(true),
	}
	a, ok := ArithmeticOf(capability.Report{Host: "h@b", Pool: "p", Capabilities: set})
	want := Arithmetic{Total: 1000, Reserved: 100, Ratio: 2, Provisioned: 500, Free: 400, Virtual: 1300, Thin: true}
	if !ok || a != want {
		t.Errorf("got %+v, %t; want %+v", a, ok, want)
	}
	set[capability.KeyFreeCapacity] = capability.OfString("unknown")
	if a, ok := ArithmeticOf(capability.Report{Host: "h@b", Pool: "p", Capabilities: set}); ok {
		t.Errorf("an unknown capacity has the result %+v", a)
	}
}
