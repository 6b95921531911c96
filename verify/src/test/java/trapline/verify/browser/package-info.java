/// Tests of the page in a real Chromium, against the program as users have it.
package trapline.verify.browser;
