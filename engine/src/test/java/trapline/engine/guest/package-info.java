/// Tests of guests.
package trapline.engine.guest;
