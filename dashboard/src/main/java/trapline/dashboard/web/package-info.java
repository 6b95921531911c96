/// The page's server: who may ask, what there is to ask for, and how it is answered.
package trapline.dashboard.web;
