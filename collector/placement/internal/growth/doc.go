// Package growth changes reports as volumes come to an array and leave it: the counts,
// the capacities, and an over-subscription ratio that follows the array's reduction.
package growth
