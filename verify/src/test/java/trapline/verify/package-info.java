/// Tests that span modules: end to end, golden, tidy, in containers.
package trapline.verify;
