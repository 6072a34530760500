package outcome

import (
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

const (
	confidence = 0.95
	// relevant is the share of the stock figure below which a difference is no
	// difference in practice, however certain it is.
	relevant = 0.02
)

// Verdict is the result of a comparison.
type Verdict string

// The verdicts. Better and worse: the confidence interval of the difference excludes
// zero, and the difference is at least 2 % of the stock figure. Otherwise equal.
const (
	Better Verdict = "better"
	Equal  Verdict = "equal"
	Worse  Verdict = "worse"
)

// Difference is poolcast's figure less a stock one, paired by seed.
type Difference struct {
	Mean float64
	Half float64 // of the 95 % confidence interval; NaN with fewer than two seeds
	// Verdict is Equal where the interval is not known.
	Verdict Verdict
}

// Compare compares the figures of the same seeds in two arms.
func Compare(stock, poolcast []float64) Difference {
	d := make([]float64, len(stock))
	for i := range d {
		d[i] = poolcast[i] - stock[i]
	}
	r := Difference{Mean: stat.Mean(d, nil), Half: halfInterval(d), Verdict: Equal}
	switch certain := math.Abs(r.Mean) > r.Half && math.Abs(r.Mean) >= relevant*math.Abs(stat.Mean(stock, nil)); {
	case certain && r.Mean < 0:
		r.Verdict = Better
	case certain && r.Mean > 0:
		r.Verdict = Worse
	}
	return r
}

// halfInterval is half of the confidence interval of the mean, by Student's t.
func halfInterval(x []float64) float64 {
	n := float64(len(x))
	if n < 2 {
		return math.NaN()
	}
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 1}.Quantile((1 + confidence) / 2)
	return t * stat.StdDev(x, nil) / math.Sqrt(n)
}
