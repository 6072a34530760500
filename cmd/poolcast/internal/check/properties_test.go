package check

import (
	"strings"
	"testing"

	"github.com/poolcast/poolcast/collector/placement/advice"
)

func TestVolumeProperties(t *testing.T) {
	for text, want := range map[string]string{
		"volume.size > 5 and volume.multiattach == 0": "",
		"volume.status == 'creating'":                 "",
		"volume.project_id == 'a'":                    "",
		"volume.availability_zone == 'dc1'":           "",
		"capabilities.bootable":                       "",
		"volume.bootable":                             "volume.bootable is not a property of a new volume",
		"volume.snapshot_id == 1":                     "volume.snapshot_id is null",
		"volume.metadata":                             "volume.metadata is a",
		"volume.":                                     "",
	} {
		var problems []string
		for _, f := range volumeProperties([]advice.Function{{Text: text, Where: "a"}}) {
			problems = append(problems, f.Problem)
		}
		if got := strings.Join(problems, "; "); !strings.HasPrefix(got, want) || want == "" && got != "" {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
