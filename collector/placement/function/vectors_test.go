package function

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"slices"
	"testing"

	"github.com/poolcast/poolcast/collector/placement/internal/vectors"
)

// TestCinderVectors compares the results of the vectors of kind evaluate with
// Cinder's own.
func TestCinderVectors(t *testing.T) {
	files, err := vectors.Read("../cinder/testdata")
	if err != nil {
		t.Fatal(err)
	}
	agreed, total := 0, 0
	for _, f := range files {
		for i := 0; f.Kind == "evaluate" && i < len(f.Cases); i++ {
			total++
			if err := checkEvaluate(f.Cases[i], f.Vars); err != nil {
				t.Errorf("%s: evaluate %d: %v", f.Name, i, err)
				continue
			}
			agreed++
		}
	}
	fmt.Printf("evaluate: %d of %d agree\n", agreed, total)
	if total == 0 {
		t.Error("there are no vectors of kind evaluate")
	}
}

func checkEvaluate(raw json.RawMessage, vars Vars) error {
	var c struct {
		Expression string
		Expect     struct {
			Value json.RawMessage
			Error string
		}
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return err
	}
	got, err := evaluateOnce(c.Expression, vars)
	if c.Expect.Error != "" {
		if err == nil {
			return fmt.Errorf("%s: got %v", raw, got)
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", raw, err)
	}
	dec := json.NewDecoder(bytes.NewReader(c.Expect.Value))
	dec.UseNumber()
	var want any
	if err := dec.Decode(&want); err != nil {
		return err
	}
	if !sameJSON(got, want) {
		return fmt.Errorf("%s: got %v", raw, got)
	}
	return nil
}

func evaluateOnce(expression string, vars Vars) (Operand, error) {
	e, err := Compile(expression)
	if err != nil {
		return Operand{}, err
	}
	return e.Eval(vars)
}

// sameJSON compares as JSON does: true and 1 differ, 1 and 1.0 do not.
func sameJSON(got Operand, want any) bool {
	switch want := want.(type) {
	case bool:
		b, ok := got.Bool()
		return ok && b == want
	case string:
		return got.kind == text && got.box.text == want || got.kind == float && got.String() == want
	case json.Number:
		return sameNumber(got, want.String())
	case []any:
		return got.kind == list && slices.EqualFunc(got.box.list, want, sameJSON)
	}
	return false
}

func sameNumber(got Operand, want string) bool {
	if got.kind == bigInt {
		i, ok := new(big.Int).SetString(want, 10)
		return ok && i.Cmp(got.box.int) == 0
	}
	f, err := json.Number(want).Float64()
	if got.kind != integer && got.kind != float || err != nil {
		return false
	}
	g, _ := got.Float()
	return g == f || math.Abs(g-f) <= 1e-9*math.Max(math.Abs(g), math.Abs(f))
}
