#pragma once
// Pictures: files, folders, decoding, resizing. The one umbrella that needs stb_image.

#include <mien/data/dataset.hpp>        // what a folder becomes: samples, splits, class weights
#include <mien/data/images/decode.hpp>  // decode_image: the bytes of a JPEG, PNG or BMP file -> uint8
#include <mien/data/images/folder.hpp>  // image_folder: a folder for each class -> Dataset
#include <mien/data/images/image.hpp>   // load_image: a file -> Tensor<float>
#include <mien/data/images/resize.hpp>  // resize_image, as Keras does
#include <mien/data/picture.hpp>        // ImageSize, ColorMode, Interpolation
