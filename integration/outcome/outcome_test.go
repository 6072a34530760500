//go:build outcome

package outcome

import (
	"fmt"
	"os"
	"testing"
	"time"
)

func TestTry(t *testing.T) {
	c, err := StartCinder(t.Context(), os.Getenv("POOLCAST_PYTHON"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, s := range Scenarios() {
		for _, setting := range Settings() {
			for _, arm := range Arms() {
				begin := time.Now()
				run, err := Simulate(s, setting, arm, 1, c)
				if err != nil {
					t.Fatal(err)
				}
				fmt.Println(s.Name, setting, arm, time.Since(begin), len(run.Chosen), run.Refused)
				for _, at := range []int{0, 60, 180, 300, 480} {
					fmt.Printf("  %+.3v\n", run.Samples[at].Arrays)
				}
			}
		}
		break
	}
}
