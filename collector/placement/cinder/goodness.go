package cinder

import (
	"errors"
	"fmt"

	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/function"
)

// goodnessWeigher is GoodnessWeigher for one request
// (cinder/scheduler/weights/goodness.py).
type goodnessWeigher struct {
	requestFunctions
	buffer []function.Operand // for Weigh
}

func newGoodnessWeigher(compiled *placement.View[*functions]) placement.PerRequestWeigher {
	return func(r placement.Request, s *placement.Snapshot) (placement.Weigher, error) {
		req, err := requestOf(r)
		if err != nil {
			return nil, err
		}
		fs := compiled.Of(s)
		return &goodnessWeigher{requestFunctions: fs.bind(req)}, fs.views.err
	}
}

// Weigh returns the best rating over all spellings of the protocol.
func (w *goodnessWeigher) Weigh(_ placement.Request, b *placement.Backend) (float64, error) {
	f := &w.rows[b.Index()]
	if f.program == nil {
		return 0, nil
	}
	if len(f.variants) == 0 {
		return 0, errors.New("goodness_function reads the protocol, and the backend has none")
	}
	best, err := w.rating(b, &f.variants[0])
	for i := 1; i < len(f.variants) && err == nil; i++ {
		var r float64
		r, err = w.rating(b, &f.variants[i])
		best = max(best, r)
	}
	return best, err
}

// rating is 0…100; what is outside, or cannot be evaluated, is 0. A result that is
// not a number fails the scheduler's request, and so it does here.
func (w *goodnessWeigher) rating(b *placement.Backend, v *variant) (float64, error) {
	result, err := w.run(b, v, &w.buffer)
	if err != nil {
		return 0, nil //nolint:nilerr // Cinder logs it and continues with 0
	}
	if good, ok := result.Bool(); ok {
		if good {
			return 100, nil
		}
		return 0, nil
	}
	f, ok := result.Float()
	switch {
	case !ok:
		return 0, fmt.Errorf("goodness_function returns %s, which is not a number", result)
	case f < 0 || f > 100:
		return 0, nil
	}
	return f, nil
}

// Explain shows the function with its operands.
func (w *goodnessWeigher) Explain(_ placement.Request, b *placement.Backend) string {
	f := &w.rows[b.Index()]
	switch {
	case f.err != nil:
		return fmt.Sprintf("goodness_function %s: %v; it counts as 0", quoteFunction(f.text), f.err)
	case f.program == nil:
		return "no goodness_function, which counts as 0"
	case len(f.variants) == 0:
		return ""
	}
	result, err := w.run(b, &f.variants[0], new([]function.Operand))
	if err != nil {
		return fmt.Sprintf("goodness_function %s: %v; it counts as 0", quoteFunction(f.text), err)
	}
	text := fmt.Sprintf("goodness_function %s is %s%s", quoteFunction(f.text), shortValue(result), w.operands(b))
	if n, ok := result.Float(); ok && (n < 0 || n > 100) {
		text += "; outside 0 to 100 it counts as 0"
	}
	return text
}
