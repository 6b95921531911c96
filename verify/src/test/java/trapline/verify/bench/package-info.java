/// Speed and memory, measured as ratios to named baselines in one run and printed as JSON.
package trapline.verify.bench;
