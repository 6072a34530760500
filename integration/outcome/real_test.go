//go:build outcome

package outcome

import (
	"testing"

	"github.com/poolcast/poolcast/integration/internal/cloud"
)

// TestRealServices runs the confirmation on real services and logs what it measured. With
// -short it has one setting and two seeds.
func TestRealServices(t *testing.T) {
	o := RealOptions{
		Python: cloud.Python("../.."), Settings: Settings(), Seeds: []uint64{1, 2, 3, 4, 5},
		Progress: func(text string) { t.Log(text) },
	}
	if testing.Short() {
		o.Settings, o.Seeds = []Setting{Goodness}, o.Seeds[:2]
	}
	for _, r := range RunReal(t, o) {
		byArray := map[string]int{}
		for _, c := range r.Chosen {
			byArray[c.Array]++
		}
		last := r.Samples[len(r.Samples)-1]
		t.Logf("%s, seed %d, %s: %v refused %v, at the end %+v", r.Setting, r.Seed, r.Arm, byArray, r.Refused, last.Arrays)
	}
}
