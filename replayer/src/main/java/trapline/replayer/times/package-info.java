/// How often and how long vCPUs were out of the guest: counted from events, whoever delivers them.
package trapline.replayer.times;
