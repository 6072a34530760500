//go:build conformance

package conformance

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/poolcast/poolcast/collector/placement"
)

// questions is how many requests TestQuestionsOfNewSeed compares; POOLCAST_QUESTIONS
// is another number.
const questions = "1000"

// questionCase is one line of the file that questions.py writes: a request with its
// result, or the files of a world after its requests.
type questionCase struct {
	World  int               `json:"world"`
	Files  map[string]string `json:"files"`
	Args   []string          `json:"args"`
	Expect struct {
		Chosen  *string  `json:"chosen"`
		Fit     []string `json:"fit"` // best first; of a create
		Refused string   `json:"refused"`
		Error   string   `json:"error"`
	} `json:"expect"`
	Question struct {
		Kind   string          `json:"kind"`
		Source json.RawMessage `json:"source"`
	} `json:"question"`
}

// TestQuestionsOfNewSeed compares poolcast place with cinder-api and cinder-scheduler,
// which run in one process, on requests of a new seed: creates with and without zones,
// clones, hints and QoS specs, and extends, migrations and retypes.
func TestQuestionsOfNewSeed(t *testing.T) {
	seed, count := os.Getenv("POOLCAST_QUESTIONS_SEED"), os.Getenv("POOLCAST_QUESTIONS")
	if seed == "" {
		seed = rand.Text()
	}
	if count == "" {
		count = questions
	}
	t.Logf("POOLCAST_QUESTIONS_SEED=%s makes the same requests again", seed)
	folder := t.TempDir()
	binary, out := filepath.Join(folder, "poolcast"), filepath.Join(folder, "cases.json")
	run(t, exec.Command("go", "build", "-o", binary, "github.com/poolcast/poolcast/cmd/poolcast"))
	t.Log(run(t, exec.Command(python(), "questions.py", "--seed", seed, "--count", count, "--out", out)))

	cases := readQuestions(t, out, folder)
	results := map[string]int{}
	failed := make([]error, len(cases))
	var all sync.WaitGroup
	slots := make(chan struct{}, 2)
	for i, c := range cases {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			failed[i] = c.compare(binary, filepath.Join(folder, fmt.Sprint(c.World)))
		})
		results[c.Question.Kind+" "+c.result()]++
	}
	all.Wait()
	for i, err := range failed {
		if err != nil {
			t.Errorf("world %d: place %q: %v", cases[i].World, cases[i].Args, err)
		}
	}
	t.Logf("%d requests: %v", len(cases), results)
}

// readQuestions reads the cases and writes the files of each world.
func readQuestions(t *testing.T, path, folder string) []questionCase {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var cases []questionCase
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var c questionCase
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatalf("read %s: %v", lines.Text(), err)
		}
		if c.Files == nil {
			cases = append(cases, c)
			continue
		}
		world := filepath.Join(folder, fmt.Sprint(c.World))
		if err := os.Mkdir(world, 0o700); err != nil {
			t.Fatal(err)
		}
		for name, text := range c.Files {
			if err := os.WriteFile(filepath.Join(world, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return cases
}

// result names the kind of result that Cinder has.
func (c *questionCase) result() string {
	switch e := c.Expect; {
	case e.Refused != "":
		return e.Refused
	case e.Error != "":
		return "fails"
	case e.Chosen == nil:
		return "finds no backend"
	}
	return "succeeds"
}

// compare runs poolcast place in the folder of the world.
func (c *questionCase) compare(binary, world string) error {
	args := append([]string{
		"--config-file", "cinder.conf", "place", "--source", "reports.json", "--types", "types.json", "--output", "json",
	}, c.Args...)
	cmd := exec.Command(binary, args...)
	cmd.Dir = world
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		return err
	}
	if c.Expect.Error != "" {
		if cmd.ProcessState.ExitCode() != 3 {
			return fmt.Errorf("Cinder fails with %s, poolcast ends with %d: %s", c.Expect.Error, cmd.ProcessState.ExitCode(), out)
		}
		return nil
	}
	var got placement.DecisionJSON
	if err := json.Unmarshal(out, &got); err != nil {
		return fmt.Errorf("%w: %s%s", err, out, &stderr)
	}
	return c.agree(&got)
}

func (c *questionCase) agree(got *placement.DecisionJSON) error {
	var refused, chosen string
	if got.RefusedByAPI != nil {
		refused = got.RefusedByAPI.Exception
	}
	if got.Chosen != nil {
		chosen = *got.Chosen
	}
	var want string
	if c.Expect.Chosen != nil {
		want = *c.Expect.Chosen
	}
	if refused != c.Expect.Refused || chosen != want {
		return fmt.Errorf("Cinder: %q, refused %q; poolcast: %q, refused %q: %s", want, c.Expect.Refused, chosen, refused, got.Reason)
	}
	if c.Question.Kind != "create" || string(c.Question.Source) != "null" || refused != "" {
		return nil
	}
	var fit []string
	for _, b := range got.Backends {
		if b.Refused == nil {
			fit = append(fit, b.ID)
		}
	}
	if !slices.Equal(fit, c.Expect.Fit) && len(fit)+len(c.Expect.Fit) > 0 {
		return fmt.Errorf("Cinder ranks %v, poolcast %v", c.Expect.Fit, fit)
	}
	return nil
}
