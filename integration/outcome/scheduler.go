package outcome

import (
	"bufio"
	"context"
	_ "embed" // scheduler.py
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

// Scheduler chooses a backend for each volume. A report replaces the earlier ones of
// its host if its stamp is not lower. It is used by one goroutine.
type Scheduler interface {
	// Start forgets everything and begins with these options and extra specs.
	Start(options map[string]any, extraSpecs map[string]string) error
	Report(host string, c capability.Set, stamp time.Time)
	// Choose returns the host for a volume, or the filter that refused the last one.
	Choose(now time.Time, gib int64) (host, refused string, err error)
}

//go:embed scheduler.py
var program string

// Cinder is the scheduler of an installed Cinder: a child process that runs its
// classes in virtual time.
type Cinder struct {
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
	reports map[string]report // those that a later one does not replace
}

// report is that of one host, as the program reads it.
type report struct {
	host  string
	set   capability.Set
	stamp time.Time
}

func (r report) MarshalJSON() ([]byte, error) {
	return json.Marshal([]any{r.host, r.set, r.stamp.UnixMicro()})
}

// StartCinder starts the child process with a Python that has cinder installed. It
// ends with the context.
func StartCinder(ctx context.Context, python string) (*Cinder, error) {
	c := &Cinder{command: exec.CommandContext(ctx, python, "-c", program), reports: map[string]report{}}
	c.command.Stderr = os.Stderr
	var err error
	if c.in, err = c.command.StdinPipe(); err != nil {
		return nil, fmt.Errorf("start scheduler: %w", err)
	}
	out, err := c.command.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start scheduler: %w", err)
	}
	c.out = bufio.NewReader(out)
	if err := c.command.Start(); err != nil {
		return nil, fmt.Errorf("start scheduler: %w", err)
	}
	return c, nil
}

// Close ends the child process.
func (c *Cinder) Close() error {
	return errors.Join(c.in.Close(), c.command.Wait())
}

// Start implements [Scheduler].
func (c *Cinder) Start(options map[string]any, extraSpecs map[string]string) error {
	clear(c.reports)
	return c.call(nil, "start", options, extraSpecs)
}

// Report implements [Scheduler]. Cinder's scheduler applies reports at the next
// request only, so that the last one of each host is sent, with that request.
func (c *Cinder) Report(host string, set capability.Set, stamp time.Time) {
	if last, ok := c.reports[host]; ok && stamp.Before(last.stamp) {
		return
	}
	c.reports[host] = report{host, set, stamp}
}

// Choose implements [Scheduler].
func (c *Cinder) Choose(now time.Time, gib int64) (host, refused string, err error) {
	reports := make([]report, 0, len(c.reports))
	for _, host := range sortedKeys(c.reports) {
		reports = append(reports, c.reports[host])
	}
	clear(c.reports)
	var answer [2]string
	if err := c.call(&answer, "choose", now.UnixMicro(), gib, reports); err != nil {
		return "", "", err
	}
	if answer[0] == "host" {
		return answer[1], "", nil
	}
	return "", answer[1], nil
}

func (c *Cinder) call(answer any, arguments ...any) error {
	line, err := json.Marshal(arguments)
	if err != nil {
		return fmt.Errorf("encode request: %w", err)
	}
	if _, err := c.in.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("write to scheduler: %w", err)
	}
	line, err = c.out.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("read from scheduler: %w", err)
	}
	if answer == nil {
		return nil
	}
	if err := json.Unmarshal(line, answer); err != nil {
		return fmt.Errorf("decode answer: %w", err)
	}
	return nil
}
