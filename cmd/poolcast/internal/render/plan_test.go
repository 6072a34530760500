package render_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/backends"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/migration"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/render"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/terminaltest"
	"github.com/poolcast/poolcast/collector/placement/plan"
	"github.com/poolcast/poolcast/collector/placement/volumeapi"
)

// planned is a plan with a mandatory and an optional move, and with a volume that stays.
func planned() *migration.Result {
	used, physical := 0.9, 12.345
	v := &plan.Volume{ID: "c7cb", Name: "db\x1b[31m", Physical: &physical, Volume: volumeapi.Volume{Size: 100, Status: "in-use"}}
	unnamed := &plan.Volume{ID: "d8dc", Volume: volumeapi.Volume{Size: 50, Status: "available"}}
	return &migration.Result{
		Request:  migration.Request{Cloud: "my cloud"},
		Backends: &backends.Set{Source: backends.Scheduler, From: "127.0.0.1:5672"},
		Pools: []migration.PoolPlan{{
			Name: "gold", Zone: "dc1", Unknown: []string{"z"}, Others: map[string]int{"x": 583},
			Plan: plan.Plan{
				Moves: []plan.Move{
					{Volume: v, From: "c@x#gold", To: "c@y#gold", ToHost: "c@y#gold", Kind: plan.Evacuate, Reason: "y is 20 % full then"},
					{Volume: unnamed, From: "c@z#gold", To: "c@y#gold", ToHost: "c@y#gold", Kind: plan.Even, Reason: "60 % to 20 % becomes 50 % to 30 %"},
				},
				Stay: []plan.Stay{{Volume: unnamed, On: "c@x#gold", Emptied: true, Reasons: []string{"the volume has snapshots"}}},
				Arrays: []plan.Array{
					{Backend: "x", Pool: "c@x#gold", Emptied: true, Before: plan.Figures{Volumes: 2, Used: &used, Provisioned: &used}, After: plan.Figures{Volumes: 1, Used: &used, Provisioned: &used}},
					{Backend: "y", Pool: "c@y#gold"},
				},
				Cut: true, Idle: "z has more load than 70 %, and takes no volume for evenness",
			},
		}},
	}
}

func TestPlanTable(t *testing.T) {
	var out strings.Builder
	if err := render.Plan(&out, "table", planned()); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsRune(out.String(), '\x1b') {
		t.Errorf("a control character is printed:\n%q", out.String())
	}
	plain := strings.Join(strings.Fields(out.String()), " ")
	for _, want := range []string{
		"gold in dc1: 2 moves, 1 mandatory and 1 optional, copy 150 GiB; 1 volume cannot be moved",
		"100 12.3 in-use x y evacuate y is 20 % full then", "d8dc 50 - available c@z#gold y even 60 %",
		"openstack --os-cloud 'my cloud' volume migrate --host 'c@y#gold' c7cb",
		"the volume has snapshots", "--max-moves permits no more", "z has more load", "x has 583 volumes more that the cloud does not list", "space that volumes use on z is not known",
	} {
		if !strings.Contains(plain, want) {
			t.Errorf("no %q in:\n%s", want, out.String())
		}
	}
}

func TestPlanCommands(t *testing.T) {
	var out strings.Builder
	if err := render.Plan(&out, "commands", planned()); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(strings.TrimSpace(out.String()), "\n"); len(lines) != 2 || !strings.HasSuffix(lines[1], " d8dc") {
		t.Errorf("%q", lines)
	}
}

func TestPlanJSON(t *testing.T) {
	var out strings.Builder
	if err := render.Plan(&out, "json", planned()); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Pools []struct {
			Moves []struct {
				Mandatory bool
				Used      *float64 `json:"used_gib"`
			}
			CannotMove []struct{ Reasons []string } `json:"cannot_move"`
			Arrays     []struct {
				Before struct {
					Used *float64 `json:"used_ratio"`
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(out.String()), &got); err != nil {
		t.Fatal(err)
	}
	p := got.Pools[0]
	if len(p.Moves) != 2 || !p.Moves[0].Mandatory || p.Moves[1].Mandatory || p.Moves[1].Used != nil || len(p.CannotMove) != 1 || p.Arrays[1].Before.Used != nil {
		t.Errorf("%+v", p)
	}
}

// TestPlanFitsTheTerminal with names that need their columns. The commands are to be
// copied, and not broken.
func TestPlanFitsTheTerminal(t *testing.T) {
	r := planned()
	p := &r.Pools[0]
	for i := range p.Arrays {
		p.Arrays[i].Backend = "flasharray_production_0" + p.Arrays[i].Backend
	}
	p.Moves[0].Volume.Name = "a-database-of-production"
	for _, columns := range []int{80, 120} {
		terminal := terminaltest.Open(t, columns)
		if err := render.Plan(terminal.Program, "table", r); err != nil {
			t.Fatal(err)
		}
		lines := terminaltest.Screen(terminal.End())
		for _, line := range lines {
			if utf8.RuneCountInString(line) > columns && !strings.HasPrefix(line, "openstack ") {
				t.Errorf("wider than %d columns: %s", columns, line)
			}
		}
		text := strings.Join(lines, "\n")
		for _, want := range []string{"a-databa", "evacuate", "flasharray_production_0x", "to be emptied"} {
			if !strings.Contains(text, want) {
				t.Errorf("%d columns lack %q:\n%s", columns, want, text)
			}
		}
	}
}
