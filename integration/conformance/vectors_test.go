//go:build conformance

package conformance

import (
	"crypto/rand"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// TestVectorsOfNewSeed makes vectors with Cinder from a new seed and compares poolcast with
// them, because poolcast could agree with the committed vectors only.
func TestVectorsOfNewSeed(t *testing.T) {
	seed := os.Getenv("POOLCAST_VECTORS_SEED")
	if seed == "" {
		seed = rand.Text()
	}
	t.Logf("POOLCAST_VECTORS_SEED=%s makes the same vectors again", seed)
	folder := t.TempDir()
	script := filepath.Join("..", "vectors.py")
	run(t, exec.Command(python(), script, "--seed", seed, "--out", folder))

	test := exec.Command("go", "test", "-count=1", "-v", "-run", "^TestCinderVectors$",
		"github.com/poolcast/poolcast/collector/placement/cinder", "github.com/poolcast/poolcast/collector/placement/function")
	test.Env = append(os.Environ(), "POOLCAST_CINDER_VECTORS="+folder)
	out := run(t, test)
	for _, line := range regexp.MustCompile(`(?m)^(decide|sequence|match|evaluate): .*$`).FindAllString(out, -1) {
		t.Log(line)
	}
}

func run(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("run %s: %v\n%s", cmd, err, out)
	}
	return string(out)
}
